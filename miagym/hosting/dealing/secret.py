"""What is drawn from a host's secret, which nobody without it can foretell."""

from __future__ import annotations

import hmac

NAME_BYTES = 8


def drawn(secret: str, *what: object) -> int:
    """A number of 63 bits that nobody without the secret can foretell."""
    return int.from_bytes(_digest(secret, *what)[:8], "big") >> 1


def opaque_name(secret: str, *what: object) -> str:
    """A name that tells nothing of what it names, and differs from player to player."""
    return _digest(secret, *what)[:NAME_BYTES].hex()


def _digest(secret: str, *what: object) -> bytes:
    text = "\0".join(map(str, what))
    return hmac.digest(bytes.fromhex(secret), text.encode(), "sha256")
