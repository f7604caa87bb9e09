"""Filters: modifiers that change an attack's residual in latents before it is measured."""
