"""Measurements whose pages stand in docs/benchmarks; each module is a program."""
