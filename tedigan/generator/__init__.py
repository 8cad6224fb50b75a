"""StyleGAN2 and StyleGAN1: z -> w -> ws -> images, the discriminator, and which engine draws."""
