"""De-duplication and filtering of any data as in the paper, every step counted per side."""
