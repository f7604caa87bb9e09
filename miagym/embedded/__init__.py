"""The embedded art: the Open Clip Art Library 0.18, read, cleaned, de-duplicated."""
