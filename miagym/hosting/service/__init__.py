"""Services behind a host: calls, uploads, and answers that the ledger keeps."""
