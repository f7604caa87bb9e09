"""Verdicts as they are stored while a game is played, and their grades afterwards."""
