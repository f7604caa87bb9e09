"""Agents that play the game: each file one idea of how to spend a budget.

`agent` says what an agent is and lets it play, `batch` is what agents see of either environment,
`belief` turns answers into probabilities. `docs/benchmarks/agents.md` compares them.
"""
