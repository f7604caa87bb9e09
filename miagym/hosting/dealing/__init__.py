"""Dealing by a secret: candidates of a phase, whose hands they are in, names, and labels."""
