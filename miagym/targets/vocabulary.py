"""Size of prompts as a target's text encoder reads them; no torch."""

from __future__ import annotations

TOKENS, VOCABULARY = 77, 49408
"""Tokens of a prompt, and how many different ones there are, as in CLIP's text encoder."""
