"""Exercises for a class: their tasks, the run of a student's file, and its grading."""
