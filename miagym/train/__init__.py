"""Training the embedded targets from the embedded art: `miagym train NAME`."""
