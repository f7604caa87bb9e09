"""Agents that play the game, a file for each way of spending a budget.

`agent` is the protocol and the loop, `observations` what agents see of either environment,
`belief` turns answers into probabilities. `docs/benchmarks/games/agents.md` compares them.
"""
