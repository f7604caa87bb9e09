"""Statistics of candidates that come in groups of look-alikes, which are no independent draws."""
