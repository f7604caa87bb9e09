"""Environment of an audit: pictures of one hand, one verdict on the set, a target of a family."""
