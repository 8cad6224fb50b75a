"""Pickles and torch files read as data: nothing in them is imported, called or executed."""
