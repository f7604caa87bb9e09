"""What a check is made of: its pictures, its reference, and what calibrates it."""
