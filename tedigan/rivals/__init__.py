"""The five rivals at 64 px, in our own words: AttnGAN, ControlGAN, DM-GAN, DF-GAN and, for edits, ManiGAN."""
