"""StyleGAN2: z -> w -> ws -> images, its discriminator and their training step."""
