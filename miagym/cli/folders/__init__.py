"""Commands about run folders that are there already."""
