"""Playing a hosted game from a process that has neither torch nor the package's models."""
