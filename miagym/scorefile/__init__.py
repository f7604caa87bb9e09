"""Anybody's scores, from whatever tool: read, measured, and warned about."""
