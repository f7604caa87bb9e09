"""Address of the host whose leaderboard a page shows: its operator gives it, never a visitor."""

from __future__ import annotations

from urllib.parse import urlsplit

from miagym.errors import SettingsError

HOST_URL = "MIAGYM_HOST_URL"
"""The variable that names it to a Space, and to `miagym page`."""


def host_address(text: str) -> str:
    """An address without the slash at its end.

    Raises:
        SettingsError: if it is none that a host can have.
    """
    try:
        parts = urlsplit(text)
        is_one = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port or an address in brackets that is none
        is_one = False
    if not is_one or "?" in text or "#" in text or not text.isprintable() or " " in text:
        raise SettingsError(
            "Expected the address of a miagym host, such as http://127.0.0.1:8000, "
            f"got {text!r}; `miagym host` prints its own."
        )
    return text.rstrip("/")
