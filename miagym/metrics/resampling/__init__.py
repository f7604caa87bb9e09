"""Statistics that are dealt, drawn or repeated anew: permutations, repetitions, models."""
