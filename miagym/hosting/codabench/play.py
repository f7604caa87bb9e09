"""Plays a hosted task with questions spread evenly, and writes a submission for Codabench.

A host calls candidates by other names in every walk; they are told by picture and caption here.
"""

from __future__ import annotations

import argparse
import csv
import zipfile
from pathlib import Path

import numpy as np
from PIL import Image

import miagym

POWER = 20
"""How sharply a verdict follows from similarities; a guess to improve on."""


def ids_of(folder: Path) -> dict[tuple[bytes, str], str]:
    """Id of each candidate of a phase, by its pixels and its caption."""
    with (folder / "candidates.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    found = {}
    for row in rows:
        with Image.open(folder / row["picture"]) as image:
            pixels = np.asarray(image.convert("RGB"))
        found[pixels.tobytes(), row["caption"]] = row["id"]
    return found


def play(env: miagym.RemoteEnv, known: dict[tuple[bytes, str], str]) -> dict[str, float]:
    """Plays a whole walk; returns what was said of each id."""
    scores: dict[str, float] = {}
    n, slots = env.told["candidates"], env.told["slots"]
    cheapest = int(np.argmin([one["price"] for one in env.told["menu"]]))
    question = [cheapest] * slots
    for _ in range(env.told["hands"]):
        seen, info = env.reset()
        asked = {"question": question, "probability": [0.5] * n, "stop": 0}
        while seen["affordable"][cheapest]:
            whom = np.argsort(seen["count"][:, cheapest], kind="stable")[:slots]
            seen, *_ = env.step(asked | {"candidate": whom})
        said = verdicts(seen["summary"][:, cheapest], seen["count"][:, cheapest])
        env.step({"candidate": [n] * slots, "question": question, "probability": said, "stop": 1})
        for picture, caption, one in zip(seen["candidates"], info["captions"], said, strict=True):
            scores[known[picture.tobytes(), caption]] = float(one)
    return scores


def verdicts(summary: np.ndarray, count: np.ndarray) -> np.ndarray:
    """Probabilities: how far answers stray from the picture here, and under the public model."""
    ours = summary[:, 1]
    public = summary[:, 5] if summary.shape[1] > 5 else np.full_like(ours, np.median(ours))
    ratio = ours / np.maximum(public, 1e-6)
    return np.where(count > 0, 1 / (1 + ratio**POWER), 0.5)


def write(scores: dict[str, float], path: Path) -> None:
    """Writes the ZIP that Codabench takes."""
    lines = ["ids,score", *(f"{name},{score!r}" for name, score in scores.items()), ""]
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("submission.csv", "\n".join(lines))


def main() -> None:
    """Reads the command line, plays, writes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", required=True, help="of the host")
    parser.add_argument("--key", required=True, help="yours")
    parser.add_argument("--task", required=True)
    parser.add_argument("--candidates", required=True, type=Path, help="the phase's public data")
    parser.add_argument("--out", type=Path, default=Path("submission.zip"))
    given = parser.parse_args()
    env = miagym.RemoteEnv(given.url, key=given.key, task=given.task)
    write(play(env, ids_of(given.candidates)), given.out)
    env.close()
    print(f"{given.out} can be submitted.")


if __name__ == "__main__":
    main()
