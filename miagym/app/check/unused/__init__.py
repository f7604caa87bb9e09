"""Checks on the page by pictures that were not used: no member has to be known."""
