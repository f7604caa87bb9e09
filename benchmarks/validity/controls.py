"""What pictures may serve as controls: false alarms and power of each kind on the embedded world.

    python benchmarks/validity/controls.py --out docs/benchmarks/validity/controls.md

Sets of 12 drawings against 12 controls under `clipart-overfit`, attack `sima` calibrated by
`clipart-realistic`, one-sided permutation test at 1 %. A false alarm is a set of drawings that were
not used and comes out member-like; the audit column says in how many draws `miagym check` refuses
the control before any p-value. All drawings are of the test part of `clipart-tune`; sets overlap
between draws, so that shares are estimates of what this one pool gives.
"""

from __future__ import annotations

import argparse
import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter, ImageOps
from scipy.stats import binomtest

import miagym
from attacks import make_attack
from miagym.auditing.audit import audit
from miagym.auditing.data_source import AuditData
from miagym.auditing.verdict import AuditVerdict
from miagym.candidates import Candidates
from miagym.checking.unused.generated import generated_scores
from miagym.data.dataset import TEST
from miagym.embedded.art import table
from miagym.evaluation.signals import Signals
from miagym.metrics.resampling.permutation import set_test
from miagym.oracle import Oracle
from miagym.targets.registry import load_target

SIZE, DRAWS, AUDITED, RESAMPLES, LEVEL, GENERATED = 12, 500, 60, 999, 0.01, 100
Draw = Callable[[np.random.Generator], tuple[np.ndarray, np.ndarray]]


class World:
    """Test drawings of the overfit target, their scores, and those of altered ones."""

    def __init__(self) -> None:
        data = miagym.load_data("clipart-tune")
        art = table()
        artist_of = dict(zip(art["source"].to_pylist(), art["artist"].to_pylist(), strict=True))
        rows = data.rows(TEST, 0)
        assert data.names is not None and data.groups is not None
        self.target, base = load_target("clipart-overfit"), load_target("clipart-realistic")
        attack = make_attack("sima+reference")
        self.signals = Signals(self.target, {"": attack}, base)
        self.drawings = data.candidates(rows, self.target.resolution)
        self.member, self.group = data.member[rows], data.groups[rows]
        self.artist = np.array([artist_of[data.names[row]] for row in rows])
        self.scores = self.score(self.drawings)

    def score(self, candidates: Candidates) -> np.ndarray:
        chunks = [self.signals.of(self.signals.attacks, c)[""][:, 0] for c in candidates.chunks(64)]
        return np.concatenate(chunks)

    def altered(self, change: Callable[[Image.Image], Image.Image]) -> Candidates:
        images = [np.asarray(change(Image.fromarray(image))) for image in self.drawings.images]
        return Candidates(np.stack(images), self.drawings.captions)

    def generated(self) -> Candidates:
        """What the target generates to captions of drawings that were not used."""
        some = self.drawings[np.flatnonzero(~self.member)[:GENERATED]]
        oracle = Oracle(self.target, "black", seed=5)
        images = torch_pixels(oracle.generate(some, steps=25))
        return Candidates(images, some.captions)


def torch_pixels(images) -> np.ndarray:  # type: ignore[no-untyped-def]
    return (images * 255).round().clamp(0, 255).byte().permute(0, 2, 3, 1).numpy()


def jpeg(picture: Image.Image, quality: int = 60) -> Image.Image:
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=quality)
    return Image.open(io.BytesIO(file.getvalue())).convert("RGB")


def passes(scores: np.ndarray, controls: np.ndarray, seed: int) -> bool:
    return set_test(scores, controls, seed, RESAMPLES).p_value <= LEVEL


def share(found: int, n: int) -> str:
    ci = binomtest(found, n).proportion_ci(method="exact")
    return f"{100 * found / n:.1f} % [{100 * ci.low:.1f}–{100 * ci.high:.1f}]"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    world = World()
    members, others = np.flatnonzero(world.member), np.flatnonzero(~world.member)
    pool = {"as they are": (world.drawings, world.scores)}
    for name, change in (
        ("mirrored", ImageOps.mirror),
        ("re-saved as JPEG, quality 60", jpeg),
        ("blurred a little", lambda picture: picture.filter(ImageFilter.GaussianBlur(0.7))),
    ):
        made = world.altered(change)
        scores = np.full(len(made), np.nan)
        scores[others] = world.score(made[others])
        pool[name] = made, scores
    generated = world.generated()
    pool["generated"] = generated, world.score(generated)

    def disjoint(rng: np.random.Generator, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        order = rng.permutation(rows)
        return order[:SIZE], order[SIZE : 2 * SIZE]

    hands, counts = np.unique(world.artist[others], return_counts=True)
    large = hands[counts >= 2 * SIZE]

    def same_hand(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        return disjoint(rng, others[world.artist[others] == rng.choice(large)])

    def other_hands(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        own = world.artist[others] == rng.choice(large)
        return rng.permutation(others[own])[:SIZE], rng.permutation(others[~own])[:SIZE]

    groups = [others[world.group[others] == group] for group in np.unique(world.group[others])]
    series = [rows for rows in groups if len(rows) > 1]

    def half_of_series(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        chosen = [rng.permutation(series[i])[:2] for i in rng.permutation(len(series))[:SIZE]]
        pairs = np.array(chosen)
        return pairs[:, 0], pairs[:, 1]

    def any_hands(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        return disjoint(rng, others)

    def of_themselves(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        rows = rng.permutation(others)[:SIZE]
        return rows, rows

    def outputs(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        return rng.permutation(others)[:SIZE], rng.permutation(GENERATED)[:SIZE]

    kinds: list[tuple[str, Draw, str]] = [
        ("any drawings that were not used", any_hands, "as they are"),
        (f"of the same hand, not used ({len(large)} artists)", same_hand, "as they are"),
        (f"the other half of a series ({len(series)} series)", half_of_series, "as they are"),
        ("of other hands", other_hands, "as they are"),
        ("the same pictures, mirrored", of_themselves, "mirrored"),
        ("others, mirrored", any_hands, "mirrored"),
        ("others, re-saved as JPEG", any_hands, "re-saved as JPEG, quality 60"),
        ("others, blurred a little", any_hands, "blurred a little"),
        ("generated by the model in question", outputs, "generated"),
    ]
    lines = [
        "# What may serve as a control",
        "",
        f"`python benchmarks/validity/controls.py`: sets of {SIZE} drawings against {SIZE} "
        f"controls under `clipart-overfit`, `sima+reference`, p ≤ {LEVEL}; {DRAWS} draws a row, "
        f"{AUDITED} for the audit. In brackets 95 % (Clopper-Pearson).",
        "",
        "| control | false alarms | members found | audit refuses |",
        "|---|---|---|---|",
    ]
    for number, (name, draw, form) in enumerate(kinds):
        rng = np.random.default_rng(number)
        controls, control_scores = pool[form]
        alarms = found = refused = 0
        for i in range(DRAWS):
            rows, against = draw(rng)
            used = rng.choice(members, SIZE, replace=False)
            there = control_scores[against]
            alarms += passes(world.scores[rows], there, i)
            found += passes(world.scores[used], there, i)
            if i < AUDITED:
                refused += refuses(world.drawings[rows], controls[against])
        cells = share(alarms, DRAWS), share(found, DRAWS), share(refused, AUDITED)
        lines.append(f"| {name} | {' | '.join(cells)} |")
        print(lines[-1], flush=True)
    lines += generated_section(world, generated, members, others)
    options.out.write_text("\n".join(lines) + "\n")


def refuses(given: Candidates, controls: Candidates) -> bool:
    """Whether the audit of pixels calls these sides shifted; all are saved as PNG."""

    def encoded(image: np.ndarray) -> bytes:
        file = io.BytesIO()
        Image.fromarray(image).save(file, "PNG")
        return file.getvalue()

    pictures = [encoded(image) for image in (*given.images, *controls.images)]
    member = np.arange(len(pictures)) < len(given)
    source = AuditData("sides", member, (*given.captions, *controls.captions), pictures)
    return audit(source).verdict is AuditVerdict.SHIFTED


def generated_section(
    world: World, generated: Candidates, members: np.ndarray, others: np.ndarray
) -> list[str]:
    """How often sets that the target generated are called members, and noticed as generated."""
    scores = world.score(generated)
    double = {
        "generated by the model": generated_scores(world.target, generated),
        "used": generated_scores(world.target, world.drawings[members]),
        "not used": generated_scores(world.target, world.drawings[others]),
    }
    attack = {
        "generated by the model": scores,
        "used": world.scores[members],
        "not used": world.scores[others],
    }
    lines = [
        "",
        "## Pictures that the model generated",
        "",
        f"{GENERATED} pictures by `clipart-overfit` to captions of drawings that were not used, 25 "
        "steps; noticed: double reconstruction against the unused ones, p ≤ 0.01.",
        "",
        f"| set of {SIZE} | member-like | noticed as generated |",
        "|---|---|---|",
    ]
    for name in double:
        rng, like, noticed = np.random.default_rng(1), 0, 0
        for i in range(DRAWS):
            order = rng.permutation(len(others))
            against, rest = order[:SIZE], order[SIZE : 2 * SIZE]
            rows = rest if name == "not used" else rng.permutation(len(double[name]))[:SIZE]
            noticed += passes(double[name][rows], double["not used"][against], i)
            like += passes(attack[name][rows], attack["not used"][against], i)
        lines.append(f"| {name} | {share(like, DRAWS)} | {share(noticed, DRAWS)} |")
        print(lines[-1], flush=True)
    return lines


if __name__ == "__main__":
    main()
