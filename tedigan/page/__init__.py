"""A local page to try the models: draw, paint or say it, see faces, keep one with its recipe."""
