"""A run knows what code made it: a changed attack is run again, and nothing else is."""

from __future__ import annotations

import importlib
import json
import linecache
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

import miagym
from attacks import attack_names, make_attack
from miagym.errors import RunError
from miagym.evaluation.code import cells
from miagym.evaluation.code.digests import attack_digests
from miagym.evaluation.store import RunFolder

pytestmark = pytest.mark.usefixtures("small_forests")

HELPER = "def orient(score):\n    return SIGN * score\n\n\nSIGN = 1\n"
ATTACK = '''
"""How large the noise is that the target sees in a picture."""
from dataclasses import dataclass
from attacks.base import Attack
from miagym.oracle import Access, Cost
from sign_of import orient


@dataclass(frozen=True)
class MyNoise(Attack):
    access = Access.GREY
    cost = Cost(queries=2, unet_rows=1, encodes=1)

    def __call__(self, oracle, candidates):
        latents = oracle.encode(candidates)
        noise = oracle.predict_noise(candidates, latents, 100)
        return orient(noise.abs().flatten(1).mean(1).numpy())
'''


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with an attack of one's own, in two modules."""
    folder = tmp_path / "modules"
    folder.mkdir()
    (folder / "my_noise.py").write_text(ATTACK, encoding="utf-8")
    (folder / "sign_of.py").write_text(HELPER, encoding="utf-8")
    monkeypatch.syspath_prepend(folder)
    yield folder
    for name in ("my_noise", "sign_of"):
        sys.modules.pop(name, None)


def loaded(folder: Path) -> ModuleType:
    """The module, read anew as a new process would."""
    for name in ("my_noise", "sign_of"):
        sys.modules.pop(name, None)
    sys.dont_write_bytecode, before = True, sys.dont_write_bytecode
    importlib.invalidate_caches()
    try:
        return importlib.import_module("my_noise")
    finally:
        sys.dont_write_bytecode = before


def evaluated(folder: Path, out: Path, target: Path, told: list[str]) -> Any:
    attacks = [loaded(folder).MyNoise(), "sima", "trajectory-logistic"]
    options: dict[str, Any] = {"data": "clipart-tune", "limit": 10, "null": None}
    return miagym.evaluate(
        str(target), attacks=attacks, out=out, tell=told.append, chunk=9, **options
    )


def scores(out: Path) -> dict[tuple[str, str, str], float]:
    table = pq.read_table(out / "scores.parquet").to_pylist()
    return {(row["attack"], row["part"], row["candidate"]): row["score"] for row in table}


@pytest.mark.slow
def test_a_changed_attack_is_run_again_and_no_other(
    mine: Path, tmp_path: Path, pipelines: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    target, out, told = pipelines["epsilon"], tmp_path / "run", []
    before = evaluated(mine, out, target, told)
    old = scores(out)
    evaluated(mine, out, target, told)
    assert any("this very run, finished" in sentence for sentence in told)
    helper = mine / "sign_of.py"
    helper.write_text("# only a remark\n" + HELPER.replace("\n\n\n", "\n\n\n\n"), encoding="utf-8")
    told.clear()
    evaluated(mine, out, target, told)
    assert any("this very run, finished" in sentence for sentence in told)

    helper.write_text(HELPER.replace("= 1", "= -1"), encoding="utf-8")
    run_again: set[str] = set()
    write = RunFolder.write

    def seen(self: RunFolder, chunk: str, *rest: Any) -> None:
        run_again.update(rest[-1].seconds)
        write(self, chunk, *rest)

    told.clear()
    with monkeypatch.context() as patch:
        patch.setattr(RunFolder, "write", seen)
        after = evaluated(mine, out, target, told)
    assert told[0] == "The code of my-noise has changed; what it scored is made anew."
    assert run_again == {"my-noise"}
    new = scores(out)
    assert old.keys() == new.keys()
    for key, score in new.items():
        assert score == (-old[key] if key[0] == "my-noise" else old[key])
    alone = evaluated(mine, tmp_path / "alone", target, told)
    written = [folder / "scores.parquet" for folder in (out, tmp_path / "alone")]
    assert written[0].read_bytes() == written[1].read_bytes()
    ours, theirs = after.results.rows, alone.results.rows
    plain = {"seconds": 0.0}
    assert [row.model_copy(update=plain) for row in ours] == [
        row.model_copy(update=plain) for row in theirs
    ]
    assert {row.attack: row.auc for row in before.results.rows} != {
        row.attack: row.auc for row in ours
    }


@pytest.mark.slow
def test_an_unfinished_run_never_mixes_two_codes(
    mine: Path, tmp_path: Path, pipelines: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    target, out, told, chunks = pipelines["epsilon"], tmp_path / "run", [], []
    write = RunFolder.write

    def stopped(self: RunFolder, chunk: str, *rest: Any) -> None:
        if len(chunks) == 4:
            raise KeyboardInterrupt
        chunks.append(chunk)
        write(self, chunk, *rest)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(RunFolder, "write", stopped)
        evaluated(mine, out, target, told)
    (mine / "sign_of.py").write_text(HELPER.replace("= 1", "= -1"), encoding="utf-8")
    evaluated(mine, out, target, told)
    evaluated(mine, tmp_path / "alone", target, told)
    assert scores(out) == scores(tmp_path / "alone")


@pytest.mark.slow
def test_other_code_of_miagym_is_another_run(
    mine: Path, tmp_path: Path, pipelines: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    evaluated(mine, tmp_path / "run", pipelines["epsilon"], [])
    monkeypatch.setattr("miagym.evaluation.provenance.engine_digest", lambda: "0" * 16)
    with pytest.raises(RunError, match=r"holds another run \(code of miagym: \w+ there, 0+ here\)"):
        evaluated(mine, tmp_path / "run", pipelines["epsilon"], [])


def test_attacks_that_share_no_code_have_digests_of_their_own() -> None:
    digests = attack_digests({name: make_attack(name) for name in attack_names()})
    assert digests["sima"] != digests["pia"] != digests["secmi"]
    assert digests["trajectory-shift"] == digests["trajectory-wrong-start"]
    with_reference = attack_digests({"a": make_attack("sima+reference")})
    assert with_reference["a"] not in (digests["sima"], digests["rediffuse"])


TYPED = """
from dataclasses import dataclass
from attacks.base import Attack
from miagym.evaluation.code.digests import attack_digests
from sign_of import orient


@dataclass(frozen=True)
class Mine(Attack):
    def __call__(self, oracle, candidates):
        return orient(None)


print(attack_digests({"mine": Mine()})["mine"])
"""


def digest(*arguments: str, folder: Path, typed: str | None = None) -> str:
    command, env = [sys.executable, *arguments], {**os.environ, "PYTHONPATH": str(folder)}
    done = subprocess.run(
        command, input=typed, env=env, capture_output=True, text=True, check=True, encoding="utf-8"
    )
    return done.stdout.strip()


@pytest.mark.slow
def test_what_was_typed_into_an_interpreter_is_never_taken_for_old(mine: Path) -> None:
    """Its code cannot be read, so no digest may ever match."""
    said = [digest("-", folder=mine, typed=TYPED) for _ in range(2)]
    assert len(said[0]) == 16 and said[0] != said[1]


@pytest.mark.slow
def test_what_a_script_imports_counts_as_its_own(mine: Path) -> None:
    script = mine / "thesis.py"
    script.write_text(TYPED, encoding="utf-8")
    before = [digest(str(script), folder=mine) for _ in range(2)]
    assert before[0] == before[1]
    (mine / "sign_of.py").write_text(HELPER.replace("= 1", "= -1"), encoding="utf-8")
    assert digest(str(script), folder=mine) != before[0]


def test_a_notebook_is_read_as_a_module() -> None:
    """With what its cells define, and what they have imported from elsewhere."""
    assert "import json" in cells.typed({"json": json, "helper": digest})
    cell = {"orient": digest}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(digest, "__module__", "__main__")
        assert "subprocess.run(" in cells.typed(cell) and "import" not in cells.typed(cell)


SIGN = 1


def orient(scores: list[float]) -> list[float]:
    """What a cell of a notebook defines, by what another has defined."""

    def turned(score: float) -> float:
        return SIGN * score

    return [turned(score) for score in scores]


@pytest.fixture
def cell(monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """What is read of a notebook in which `orient` and these values stand."""
    monkeypatch.setattr(orient, "__module__", "__main__")
    return lambda **values: cells.typed({"orient": orient, **values})


@pytest.mark.parametrize("values", [(1, -1), ([1, 2], [2, 1]), ({"a": 1}, {"a": 2}), (0.0, -0.0)])
def test_a_value_that_a_cell_takes_from_another_counts(
    values: tuple[object, object], cell: Callable[..., str]
) -> None:
    one, other = values
    assert cell(SIGN=one) == cell(SIGN=one, scores=3, unused=other)
    assert cell(SIGN=one) != cell(SIGN=other)


def test_what_cannot_be_told_from_another_is_never_taken_for_old(cell: Callable[..., str]) -> None:
    with pytest.raises(TypeError):  # which gives a digest of its own each time
        cell(SIGN=np.ones(3))
    with pytest.raises(TypeError):
        cell(SIGN=[1, 2].index)
    assert cell(SIGN=len) != cell(SIGN=abs)
    assert cell(unused=np.ones(3)) == cell()


def class_of_a_cell(t: int) -> dict[str, object]:
    """What a kernel has after a cell that defines a class."""
    text = f"class Mine:\n    def score(self):\n        return SIGN * {t}\n"
    linecache.cache[f"cell {t}"] = len(text), None, text.splitlines(keepends=True), f"cell {t}"
    defined: dict[str, object] = {"__name__": "__main__"}
    exec(compile(text, f"cell {t}", "exec"), defined)
    return defined


def test_a_class_of_a_cell_is_read_too() -> None:
    """Python itself finds no source of it, but of its methods."""
    one, other = class_of_a_cell(1), class_of_a_cell(2)
    assert "class Mine" in cells.typed(one) and cells.typed(one) == cells.typed(class_of_a_cell(1))
    assert len({cells.typed(each | {"SIGN": s}) for each in (one, other) for s in (1, -1)}) == 4
