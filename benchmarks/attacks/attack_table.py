"""Every attack on embedded targets, as a page.

    miagym evaluate --target clipart-realistic --data clipart \
        --target clipart-overfit --data clipart-tune \
        --attacks all --limit 100 --chunk 50 --out runs/attacks
    python benchmarks/attacks/attack_table.py runs/attacks --out docs/benchmarks/attacks/attacks.md

    miagym evaluate --target clipart-flow --attacks all --limit 100 --chunk 50 --out runs/flow
    miagym evaluate --target clipart-pixels --attacks all --limit 100 --chunk 50 --out runs/pixels
    python benchmarks/attacks/attack_table.py runs/flow runs/pixels \
        --title "All attacks on embedded targets of other families" \
        --out docs/benchmarks/attacks/families.md
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from miagym.report.finding import finding
from miagym.report.rows import by_target
from miagym.report.standing import remark
from miagym.results import AttackRow, Results
from miagym.results.formats import detected

HEAD = "| attack | access | UNet rows | AUC [95 %] | TPR@1%FPR [95 %] | seconds | standing |"


def line(row: AttackRow, group: Sequence[AttackRow]) -> str:
    cells = (
        row.attack,
        row.access,
        f"{row.unet_rows:g}",
        f"{row.auc}",
        detected(row),
        f"{row.seconds:.0f}",
        remark(row, group),
    )
    return f"| {' | '.join(map(str, cells))} |"


def page(title: str, runs: Sequence[Results], records: Sequence[Mapping[str, Any]]) -> str:
    parts = [
        f"# {title}",
        "Made by `benchmarks/attacks/attack_table.py` on two cores from:",
        "\n".join(f"- `{run['command']}` (torch {run['versions']['torch']})" for run in records),
        *(finding(results.rows) for results in runs),
        "UNet rows are those charged for one candidate under the variant that the calibration part "
        "chose. Seconds are those of calibration and test together, added up over chunks that ran "
        "side by side, and an attack that comes later finds shared answers computed. Intervals "
        "take pictures that belong together as one; a standing is given by intervals: an attack is "
        "above blind only where its whole interval is. Of "
        f"{sum(len(results.rows) for results in runs)} intervals at 95 %, one in twenty misses the "
        "truth.",
    ]
    return "\n\n".join((*parts, *(part for results in runs for part in sections(results)))) + "\n"


def sections(results: Results) -> Iterator[str]:
    """The tables of a run, what it cost, and which attacks were left out, and why."""
    for label, group in by_target(results.rows).items():
        size = f"{group[0].n_members} members and {group[0].n_nonmembers} non-members"
        yield f"## {label}: {size} of `{group[0].data}`, test part"
        rows = (line(row, group) for row in group)
        yield "\n".join([HEAD, "|---|---|---|---|---|---|---|", *rows])
    about = results.run
    yield (
        f"{about.rows_charged:,} UNet rows were charged to the attacks, "
        f"{about.rows_computed:,} computed."
    )
    left_out: dict[str, list[str]] = {}
    for skipped in about.skipped:
        left_out.setdefault(f"{skipped.target}: {skipped.why}", []).append(skipped.attack)
    yield from (f"Left out on {why} ({', '.join(names)})" for why, names in left_out.items())


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("runs", type=Path, nargs="+", help="folders of finished runs")
    parser.add_argument("--title", default="All attacks on the embedded targets")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    runs = [Results.read(folder / "results.json") for folder in options.runs]
    records = [json.loads((at / "run.json").read_text(encoding="utf-8")) for at in options.runs]
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(page(options.title, runs, records), encoding="utf-8")
