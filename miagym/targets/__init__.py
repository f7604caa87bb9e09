"""Targets: diffusion models behind one small interface."""
