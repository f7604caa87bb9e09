"""Families: the target of an episode is drawn when it begins, and nobody is told which it is."""
