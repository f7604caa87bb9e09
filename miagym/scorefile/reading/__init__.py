"""Reading files of scores: what holds which column, and values as numbers and labels."""
