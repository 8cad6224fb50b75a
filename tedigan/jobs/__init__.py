"""Work on many pictures: what is drawn or edited, and where it is written."""
