"""What the served page needs besides its tabs: uploads, rate limits, jobs, errors, sandbox."""
