"""What is said of a set of scores beside known non-members: its share, a list of it, e-values."""
