"""OpenEnv's protocol for a hosted task: a WebSocket on the same tables, keys and ledger."""
