"""Models of answers: what they say of a candidate, and what the next one may say."""
