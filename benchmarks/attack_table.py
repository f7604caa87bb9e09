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
from miagym.report.finding import (
    by_target,
    detection,
    finding,
    interval,
    percent,
    remark,
)

HEAD = "| attack | access | UNet rows | AUC [95 %] | TPR@1%FPR [95 %] | seconds | standing |"


def line(row: Mapping[str, Any], group: Sequence[Mapping[str, Any]]) -> str:
    found = detection(row)
    cells = (
        row["attack"],
        row["access"],
        f"{row['unet_rows']:g}",
        f"{row['auc']:.3f} {interval(row['auc_ci'], '.3f')}",
        percent(found) if found else "not resolvable",
        f"{row['seconds']:.0f}",
        remark(row, group),
    )
    return f"| {' | '.join(cells)} |"


def page(results: Mapping[str, Any], run: Mapping[str, Any]) -> str:
    parts = [
        "# All attacks on the embedded targets",
        f"Made by `{run['command']}` and `benchmarks/attack_table.py` "
        f"(torch {run['versions']['torch']}, two cores).",
        finding(results["rows"]),
        "UNet rows are those charged for one candidate under the variant that the calibration part "
        "chose. Seconds are those of calibration and test together, added up over chunks that ran "
        "side by side, and an attack that comes later finds shared answers computed. A standing "
        "is given by intervals: an attack is above blind only where its whole interval is. Of "
        f"{len(by_target(results['rows']))} × {len(results['rows']) // 2} intervals at 95 %, "
        "one in twenty misses the truth.",
    ]
    for label, group in by_target(results["rows"]).items():
        size = f"{group[0]['n_members']} members and {group[0]['n_nonmembers']} non-members"
        rows = [HEAD, "|---|---|---|---|---|---|---|", *(line(row, group) for row in group)]
        parts += [f"## {label}: {size} of `{group[0]['data']}`, test part", "\n".join(rows)]
    about = results["run"]
    parts += [
        f"{about['rows_charged']:,} UNet rows were charged to the attacks, "
        f"{about['rows_computed']:,} computed."
    ]
    parts += [f"Skipped: {s['attack']} on {s['target']}: {s['why']}" for s in about["skipped"]]
    return "\n\n".join(parts) + "\n"


def measured_again(row: dict[str, Any], folder: Path) -> dict[str, Any]:
    """A row of results.json with the metrics of today."""
    keys = ("target", "data", "attack")
    filters = [("part", "==", "test"), *((key, "==", row[key]) for key in keys)]
    scores = at_full_budget(pq.read_table(folder / "scores.parquet", filters=filters))
    member = scores["member"].to_numpy(zero_copy_only=False).astype(bool)
    return row | measure(scores["score"].to_numpy(), member).as_row()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("run", type=Path, help="folder of a finished run")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    results, run = (
        json.loads((options.run / name).read_text()) for name in ("results.json", "run.json")
    )
    results["rows"] = [measured_again(row, options.run) for row in results["rows"]]
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(page(results, run), encoding="utf-8")
