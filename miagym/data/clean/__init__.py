"""The paper's de-duplication and sanitising, for any data, with every step counted per side."""
