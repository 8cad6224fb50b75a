"""Which models draw for others: the releases of a workspace, and how one becomes champion."""
