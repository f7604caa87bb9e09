"""What the front door makes of run folders that are there already."""
