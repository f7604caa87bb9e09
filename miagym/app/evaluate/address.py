"""The form of an evaluation in the address of the page: what it holds when it is opened so."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress

from miagym.app.evaluate.service import EvaluationRequest, names_within
from miagym.errors import MiagymError

ACCESSES = ("black", "grey", "white")


def asked_in(query: Mapping[str, str], default: EvaluationRequest) -> EvaluationRequest | None:
    """What an address asks for; None if it does not, or asks for what the page does not offer.

    Args:
        query: parameters of the address, from anybody.
        default: of what it leaves away.
    """
    named = query.get("attacks")
    attacks = default.attacks if named is None else tuple(filter(None, named.split(",")))
    if not {"model", "attacks", "candidates", "queries"} & set(query):
        return None
    with suppress(MiagymError, ValueError):
        return EvaluationRequest(
            query.get("model", default.target),
            attacks,
            int(query.get("candidates", default.candidates)),
            int(query.get("queries", 0)) or None,
            default.device,
        )
    return None


def access_for(asked: EvaluationRequest) -> str:
    """The least access, of grey or more, within which all of its attacks are offered."""
    wide = [a for a in ACCESSES[1:] if set(asked.attacks) <= set(names_within(a))]
    return wide[0] if wide else ACCESSES[-1]
