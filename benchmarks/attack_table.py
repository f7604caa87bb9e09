"""Every attack on both embedded targets, as a page.

    miagym evaluate --target clipart-realistic --data clipart \
        --target clipart-overfit --data clipart-tune \
        --attacks all --limit 100 --chunk 50 --out runs/attacks
    python benchmarks/attack_table.py runs/attacks --out docs/benchmarks/attacks.md

The second command measures the scores of the first again, so that the intervals are those of the
metrics as they are now, and writes them down.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from miagym.evaluation.store import at_full_budget
from miagym.metrics.measure import measure
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


def page(results: Results, rows: Sequence[AttackRow], run: Mapping[str, Any]) -> str:
    groups = by_target(rows)
    parts = [
        "# All attacks on the embedded targets",
        f"Made by `{run['command']}` and `benchmarks/attack_table.py` "
        f"(torch {run['versions']['torch']}, two cores).",
        finding(rows),
        "UNet rows are those charged for one candidate under the variant that the calibration part "
        "chose. Seconds are those of calibration and test together, added up over chunks that ran "
        "side by side, and an attack that comes later finds shared answers computed. A standing "
        "is given by intervals: an attack is above blind only where its whole interval is. Of "
        f"{len(groups)} × {len(rows) // 2} intervals at 95 %, one in twenty misses the truth.",
    ]
    for label, group in groups.items():
        size = f"{group[0].n_members} members and {group[0].n_nonmembers} non-members"
        lines = [HEAD, "|---|---|---|---|---|---|---|", *(line(row, group) for row in group)]
        parts += [f"## {label}: {size} of `{group[0].data}`, test part", "\n".join(lines)]
    about = results.run
    parts += [
        f"{about.rows_charged:,} UNet rows were charged to the attacks, "
        f"{about.rows_computed:,} computed."
    ]
    parts += [f"Skipped: {s.attack} on {s.target}: {s.why}" for s in about.skipped]
    return "\n\n".join(parts) + "\n"


def measured_again(row: AttackRow, folder: Path) -> AttackRow:
    """A row of results.json with the metrics of today."""
    keys = ("target", "data", "attack")
    filters = [("part", "==", "test"), *((key, "==", getattr(row, key)) for key in keys)]
    scores = at_full_budget(pq.read_table(folder / "scores.parquet", filters=filters))
    member = scores["member"].to_numpy(zero_copy_only=False).astype(bool)
    found = measure(scores["score"].to_numpy(), member).as_row()
    return AttackRow.model_validate(row.as_json() | found)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("run", type=Path, help="folder of a finished run")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    results = Results.read(options.run / "results.json")
    run = json.loads((options.run / "run.json").read_text())
    rows = [measured_again(row, options.run) for row in results.rows]
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(page(results, rows, run), encoding="utf-8")
