"""The tab that asks whether a split is fair."""
