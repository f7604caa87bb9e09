"""Fetching pictures from a table of links: polite, resumable, with link rot counted per side."""
