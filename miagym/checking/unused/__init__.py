"""A check by unused pictures alone: no member of the target has to be known."""
