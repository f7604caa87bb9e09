"""The oracle of a hand at a host: what attacks ask where nobody can look behind it."""
