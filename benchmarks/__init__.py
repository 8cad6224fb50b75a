"""Side-by-side measurements against a peer's checkout, given by its path; each writes a dated result file."""
