"""From scores to numbers that fool nobody: metrics with intervals, plots, the report of a run."""
