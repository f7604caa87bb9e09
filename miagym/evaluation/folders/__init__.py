"""Run folders side by side: how they differ, and how parts of one run are put together."""
