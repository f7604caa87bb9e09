"""Who comes in, by whichever face: a key, and how often it asks."""

from __future__ import annotations

import math

from miagym.envs.service.rate_limit import Bucket
from miagym.errors import HostError, TooManyRequests
from miagym.hosting.records.keys import player_of
from miagym.hosting.records.ledger import Ledger

BROKEN = "The server failed; what was charged is kept, and the same request_id goes on with it."


def admitted(
    ledger: Ledger, bucket: Bucket, key: str | None, authorization: str | None, address: str
) -> str:
    """Name of the player whose key a request bears.

    Args:
        ledger: who knows the keys.
        bucket: who counts requests.
        key: the header X-API-Key.
        authorization: the header of this name, with a bearer token.
        address: from where it comes.

    Raises:
        HostError: if it bears none, or one that opens nothing.
        TooManyRequests: if it asks too often.
    """
    key = key or (authorization or "").removeprefix("Bearer ")
    try:
        if not key:
            raise HostError("Expected a key in the header X-API-Key, or as a bearer token.", 401)
        who = player_of(ledger, key)
    except HostError:  # whoever guesses keys is one guesser, however many they try
        _take(bucket, f"address {address}")
        raise
    _take(bucket, who)
    return who


def _take(bucket: Bucket, whose: str) -> None:
    if wait := bucket.take(whose):
        raise TooManyRequests(
            f"Too many requests with this key; the next one in {math.ceil(wait)} s.", wait
        )
