"""What a data set is made of: faces, attributes, captions, label maps, sketches, splits."""
