"""The benchmark that times the networks' share of a run finds the networks, and counts rows."""

from __future__ import annotations

import re

import pytest

from benchmarks.speed import sharing


@pytest.mark.slow
def test_attacks_together_compute_no_more_than_one_by_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["sharing.py", "--candidates", "2", "--attacks", "loss,multiple-loss"]
    monkeypatch.setattr("sys.argv", command)
    sharing.main()
    said = capsys.readouterr().out
    charged, together = (int(n.replace(",", "")) for n in re.findall(r"([\d,]+) c", said)[1:3])
    alone, unshared = (int(n.replace(",", "")) for n in re.findall(r": ([\d,]+) rows", said))
    assert together < alone < unshared <= charged
    share = re.search(r"inside the networks: ([\d.]+)", said)
    assert share and 0.3 < float(share[1]) <= 1
