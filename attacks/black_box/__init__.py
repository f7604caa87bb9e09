"""Attacks that ask for pictures only."""
