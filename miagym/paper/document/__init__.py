"""The page and the PDF of the paper, run again: tables, words, published numbers."""
