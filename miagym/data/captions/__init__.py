"""Captions beside pictures, by every convention that is known."""
