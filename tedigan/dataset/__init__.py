"""A data set: built from photographs or drawings, validated, exported, and read by every other room."""
