"""How networks learn: the loop that resumes, and one step of each training."""
