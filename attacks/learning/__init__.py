"""What attacks learn: decision rules, networks, and how fitted attacks are saved."""
