"""Data sets of candidates: reading, splitting, cleaning and fetching them."""
