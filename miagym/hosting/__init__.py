"""A game hosted where nobody can look behind it: one server, one ledger, labels on its side only.

`miagym host` serves it, `miagym.RemoteEnv` plays it; docs/play/host.md is the guide.
"""
