"""Bulk jobs: millions of faces, each exactly once, by many workers that may die; see docs/bulk.md."""
