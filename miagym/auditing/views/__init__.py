"""Views of the data: captions, files, pixels; none asks the model."""
