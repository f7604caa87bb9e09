"""Evidence of a check to hand on: a folder with JSON, a page that prints well, and its PDF."""
