"""Environment of a black box as services have it: own prompts, own uploads, a price list."""
