"""Attacks that need gradients of the target."""
