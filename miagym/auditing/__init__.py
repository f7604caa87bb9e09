"""Audit of a split: what tells members from non-members without asking a model."""
