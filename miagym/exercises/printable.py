"""Texts of others, as they can be shown in any terminal and written to any file."""

from __future__ import annotations


def printable(text: str) -> str:
    """One line of text without control characters, which could steer a terminal."""
    line = " ".join(text.split())
    return "".join(character if character.isprintable() else "�" for character in line)
