"""The tab on which a visitor plays the game by hand."""
