"""Releases: what is served, which of them is champion, and why."""
