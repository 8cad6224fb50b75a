"""Sketches and label maps as a hand draws them: from named features of a head, and of no photograph."""
