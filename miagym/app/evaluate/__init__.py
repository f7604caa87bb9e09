"""The tab that runs attacks and explores a finished run."""
