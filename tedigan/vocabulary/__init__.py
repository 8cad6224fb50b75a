"""The words that all rooms share: the 40 attributes of a face, the 19 classes of a label map."""
