"""Making tables of answers, and playing from them."""
