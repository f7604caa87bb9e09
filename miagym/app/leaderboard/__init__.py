"""Leaderboard: the standings of a host, on a page whose operator names one."""
