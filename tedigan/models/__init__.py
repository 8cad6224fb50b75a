"""Model folders <-> networks ready to use: opened, imported, adopted, verified."""
