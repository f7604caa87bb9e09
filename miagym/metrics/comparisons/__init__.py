"""Differences between scores of the same candidates, and what many looks at them cost."""
