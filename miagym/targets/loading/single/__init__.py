"""Checkpoints in a single file: which family they are of, and whether all of it was used."""
