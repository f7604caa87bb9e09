"""State of episodes beside the arrays of `Game`: budgets, histories, and what saves them all."""
