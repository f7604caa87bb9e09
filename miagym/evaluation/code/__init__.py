"""What code made a score: digests of attacks, of notebooks and of miagym."""
