"""Writes the catalogue of attacks, from which they are listed without importing any.

python -m attacks.catalogue
"""

from __future__ import annotations

import json

from attacks.registry import BUILT_IN, CATALOGUE, measured


def catalogue() -> str:
    """What the classes and their dry runs say, as JSON: one attack a line."""
    lines = [json.dumps(measured(name), ensure_ascii=False) for name in BUILT_IN]
    return "[\n" + ",\n".join(lines) + "\n]\n"


if __name__ == "__main__":
    CATALOGUE.write_text(catalogue(), encoding="utf-8")
