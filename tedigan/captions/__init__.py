"""Sentences about faces: written from attributes by a grammar, and read back."""
