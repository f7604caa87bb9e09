"""Is a split fair? What members and non-members give away to somebody who never asks a model."""
