"""The page: what a visitor of the Space sees, and the same answers as an API.

`page.build` puts the tabs together; each tab is a file, and what it computes is a file beside it
that knows nothing of Gradio.
"""
