"""A run for people: the page, the terminal, and the words and figures of both."""
