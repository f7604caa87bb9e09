"""The tables of each kind of result, as parts of a report."""
