"""The paper on one shelf: losses, control, inversion, text to face."""
