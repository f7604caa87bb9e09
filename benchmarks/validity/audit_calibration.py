"""How often the audit flags a fair split, and how often it finds a planted shift.

    python benchmarks/validity/audit_calibration.py [--trials 200] [--planted 20] [--out FILE]

Fair splits are random halves of the embedded art. Drawings are dealt one by one, or by the groups
of similar drawings (which the audit is then told). Planted shifts are 1,000 + 1,000 drawings, dealt
one by one and then changed on one side. The default takes about 15 minutes of one core.
"""

from __future__ import annotations

import argparse
import io
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image
from scipy.stats import binomtest

from miagym.atomic import replacing
from miagym.auditing.audit import audit_inspected
from miagym.auditing.data_source import AuditData
from miagym.auditing.result import Audit
from miagym.auditing.verdict import AuditVerdict
from miagym.auditing.views.pictures import InspectedPictures, inspect_pictures
from miagym.data.splits import deal
from miagym.embedded import art

ARTIST = "Nicu Buculei"
HEADING = """# Calibration of the audit

Splits of the embedded art, each with a seed of its own; [95 %] intervals are exact binomial. Made
by `python benchmarks/validity/audit_calibration.py`. [audit.md](../../check/audit.md) says
what the audit does.

The ridge penalties were chosen on drawings of this same art, with the JPEG and the artist shifts in
view, so the shares of shifts found are optimistic for other data. The fair splits chose nothing.
"""
PLANTED = """## Planted shifts, 1,000 + 1,000

| shift | found | median AUC of the best blind row |
|---|---|---|"""
FAIR = """
## Fair splits

What is neither called shifted nor fair is called too small to tell.

| views | dealt | rows a side | called shifted | called fair |
|---|---|---|---|---|"""


@dataclass(frozen=True)
class Trial:
    """Rows of the art, their labels, and how each is to be seen."""

    rows: np.ndarray
    member: np.ndarray
    grouped: bool = False


class World:
    """The embedded art, looked at once as it is, and at two JPEG qualities."""

    def __init__(self) -> None:
        table = art.table()
        self.captions = np.array(table["caption"].to_pylist(), dtype=object)
        self.artist = np.array(table["artist"].to_pylist())
        self.group = table["group"].to_numpy()
        encoded = table["image"].to_pylist()
        self.plain = inspect_pictures(encoded)
        self.jpeg = {q: inspect_pictures([recoded(data, q) for data in encoded]) for q in (95, 85)}

    def dealt(self, n: int, seed: int) -> Trial:
        """n + n rows, dealt one by one."""
        rows = np.random.default_rng(seed).permutation(len(self.captions))[: 2 * n]
        return Trial(rows, np.arange(2 * n) < n)

    def dealt_by_groups(self, n: int, seed: int) -> Trial:
        """About n + n rows, dealt by groups of similar drawings."""
        share = {"member": n, "non-member": n, "spare": max(0, len(self.captions) - 2 * n)}
        part = deal(self.group, [""] * len(self.group), share, seed)
        rows = np.flatnonzero(part != "spare")
        return Trial(rows, part[rows] == "member", grouped=True)

    def one_artist(self, n: int, share: float, seed: int) -> Trial:
        """n + n rows; the artist has a tenth of the non-members, and a larger share of members."""
        rng = np.random.default_rng(seed)
        by, others = (
            rng.permutation(np.flatnonzero(own))
            for own in (self.artist == ARTIST, self.artist != ARTIST)
        )
        more, less = round(share * n), round(0.1 * n)
        rows = np.concatenate([by[: more + less], others[: 2 * n - more - less]])
        member = np.zeros(2 * n, dtype=bool)
        member[:more] = True
        member[more + less : n + less] = True
        return Trial(rows, member)

    def subject(self, trial: Trial, captions: bool) -> AuditData:
        texts = tuple(self.captions[trial.rows]) if captions else None
        nothing = [b""] * len(trial.rows)
        groups = self.group[trial.rows] if trial.grouped else None
        return AuditData("art", trial.member, texts, nothing, groups)


def recoded(data: bytes, quality: int) -> bytes:
    """The picture after a pass through JPEG, kept as PNG: only its pixels can tell."""
    jpeg, png = io.BytesIO(), io.BytesIO()
    with Image.open(io.BytesIO(data)) as picture:
        picture.convert("RGB").save(jpeg, "JPEG", quality=quality)
    with Image.open(jpeg) as picture:
        picture.save(png, "PNG")
    return png.getvalue()


def captions_alone(world: World, trial: Trial, seed: int) -> Audit:
    return audit_inspected(world.subject(trial, captions=True), None, seed)


def everything(world: World, trial: Trial, seed: int) -> Audit:
    subject = world.subject(trial, captions=True)
    return audit_inspected(subject, world.plain.take(trial.rows), seed)


def pixels_alone(world: World, trial: Trial, seed: int) -> Audit:
    return audit_inspected(world.subject(trial, captions=False), world.plain.take(trial.rows), seed)


def stripped(world: World, trial: Trial, seed: int) -> Audit:
    """Members' captions without punctuation."""
    texts = world.captions[trial.rows]
    captions = tuple(
        re.sub(r"[^\w\s]", "", text) if m else text
        for text, m in zip(texts, trial.member, strict=True)
    )
    return audit_inspected(AuditData("art", trial.member, captions), None, seed)


def qualities(world: World, trial: Trial, seed: int) -> Audit:
    """Members once saved as JPEG of quality 95, non-members of 85; no captions."""
    sides = {m: world.jpeg[q].take(trial.rows) for m, q in ((True, 95), (False, 85))}
    looks = tuple(sides[bool(m)].looks[i] for i, m in enumerate(trial.member))
    sizes = np.zeros(len(looks))  # of the PNGs, which would tell too
    pictures = InspectedPictures(looks, sizes, {})
    return audit_inspected(world.subject(trial, captions=False), pictures, seed)


Ask = Callable[[World, Trial, int], Audit]


def fair_rows(world: World, trials: int) -> Iterator[str]:
    """Table rows: how often fair splits are called what; a quarter of the trials where slow."""
    designs: list[tuple[str, str, int, Ask, Callable[[int, int], Trial]]] = [
        ("captions", "one by one", 200, captions_alone, world.dealt),
        ("files and pixels", "one by one", 200, pixels_alone, world.dealt),
        ("everything", "one by one", 200, everything, world.dealt),
        ("captions", "one by one", 1000, captions_alone, world.dealt),
        ("everything", "one by one", 1000, everything, world.dealt),
        ("captions", "by groups", 1000, captions_alone, world.dealt_by_groups),
    ]
    for what, how, n, ask, dealt in designs:
        splits = trials if n < 1000 else trials // 4
        verdicts = [ask(world, dealt(n, seed), seed).verdict for seed in range(splits)]
        shifted, fair = (verdicts.count(v) for v in (AuditVerdict.SHIFTED, AuditVerdict.FAIR))
        yield f"| {what} | {how} | {n:,} | {share(shifted, splits)} | {fair / splits:.1%} |"


def planted_rows(world: World, trials: int) -> Iterator[str]:
    """Table rows: how often planted shifts are found."""
    n = 1000
    designs: list[tuple[str, Ask, Callable[[int], Trial]]] = [
        ("captions of members without punctuation", stripped, lambda s: world.dealt(n, s)),
        (
            "JPEG quality 95 against 85, kept as PNG, pixels alone",
            qualities,
            lambda s: world.dealt(n, s),
        ),
        (
            "one artist drew 30 % of members, 10 % of non-members",
            everything,
            lambda s: world.one_artist(n, 0.3, s),
        ),
        (
            "one artist drew 20 % of members, 10 % of non-members",
            everything,
            lambda s: world.one_artist(n, 0.2, s),
        ),
    ]
    for what, ask, dealt in designs:
        audits = [ask(world, dealt(seed), seed) for seed in range(trials)]
        found = sum(audit.verdict is AuditVerdict.SHIFTED for audit in audits)
        best = np.median([max(row.auc for row in audit.blind) for audit in audits])
        yield f"| {what} | {share(found, trials)} | {best:.3f} |"


def share(found: int, trials: int) -> str:
    low, high = binomtest(found, trials).proportion_ci()
    return f"{found} of {trials} = {found / trials:.1%} [{low:.1%}, {high:.1%}]"


def main() -> None:
    parser = argparse.ArgumentParser(description="Calibrates the audit.")
    parser.add_argument("--trials", type=int, default=200)
    parser.add_argument("--planted", type=int, default=20)
    parser.add_argument("--out", type=Path, default=Path("docs/benchmarks/validity/audit.md"))
    arguments = parser.parse_args()
    world = World()
    lines = [HEADING]
    for title, rows in (
        (PLANTED, planted_rows(world, arguments.planted)),
        (FAIR, fair_rows(world, arguments.trials)),
    ):
        lines.append(title)
        for row in rows:
            print(row, flush=True)
            lines.append(row)
            with replacing(arguments.out) as partial:
                partial.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
