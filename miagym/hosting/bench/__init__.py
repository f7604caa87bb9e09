"""Bench: agents that play a suite in this process, on the tasks that a host serves."""
