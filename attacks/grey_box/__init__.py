"""Attacks that need latents and predicted noise."""
