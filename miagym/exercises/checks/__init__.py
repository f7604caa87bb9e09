"""Checks of the exercises: one file each, with its `TASKS`."""
