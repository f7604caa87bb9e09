"""Attacks by shadow models, which were trained like the target on known halves of pictures."""
