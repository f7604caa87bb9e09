"""Training of targets on any data, for `miagym train`."""
