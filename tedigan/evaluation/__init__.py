"""The protocol: who is measured, by what, and how sure it is."""
