"""Several pictures as one set: lists at a false discovery rate, shares and e-values in words."""
