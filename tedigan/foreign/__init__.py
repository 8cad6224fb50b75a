"""Other people's files as names and tensors; nothing of them is executed."""
