"""Engines: who starts the processes that work on one run, watches them, and tries again."""
