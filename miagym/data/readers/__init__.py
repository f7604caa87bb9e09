"""Readers of labelled data: folders, tables, archives, and the hub."""
