"""What attacks there are, told without importing any."""

from __future__ import annotations

from typing import Any


def described_attacks() -> list[dict[str, Any]]:
    """What there is to know of each registered attack before it runs, ready for JSON."""
    from attacks import attack_names, describe_attack

    return [describe_attack(name) for name in attack_names()]
