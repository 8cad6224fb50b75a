"""What is made of one photograph: its aligned square, its sketch, its cut-out."""
