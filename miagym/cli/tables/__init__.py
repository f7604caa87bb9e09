"""Commands about tables of answers."""
