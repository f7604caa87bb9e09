"""Embedded data and targets: the Open Clip Art Library 0.18, its splits, and training recipes."""
