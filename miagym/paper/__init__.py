"""The experiments of Dubiński et al. (WACV 2024) in one command; `run.run_paper` runs them."""
