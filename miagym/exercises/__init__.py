"""Exercises for a class: what each of them asks, how a file is run, and how it is judged."""
