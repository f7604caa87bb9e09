"""The tab that checks pictures."""
