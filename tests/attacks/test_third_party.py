"""A package that is not ours brings an attack and a target through entry points."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from attacks.contract import check_contract, check_refusal
from attacks.registry import _third_party as attacks_by_others
from miagym.candidates import Candidates
from miagym.targets.contract import check_target
from miagym.targets.dummy import DummyTarget
from miagym.targets.third_party import third_party as targets_by_others
from tests.command_line import run

SOURCE = Path(__file__).parent.parent / "third_party"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package, built and installed by pip into a folder of its own."""
    folder = tmp_path_factory.mktemp("site")
    source = tmp_path_factory.mktemp("source") / "package"
    subprocess.run(["cp", "-r", str(SOURCE), str(source)], check=True)  # pip builds in the source
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    options = ["--no-deps", "--no-build-isolation", "--target", str(folder), str(source)]
    subprocess.run([*pip, *options], check=True)
    return folder


@pytest.fixture
def installed(site: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """As if the package had been installed before this process began."""

    def forget() -> None:
        attacks_by_others.cache_clear()
        targets_by_others.cache_clear()

    monkeypatch.syspath_prepend(site)
    forget()
    yield
    monkeypatch.undo()
    forget()


def miagym(site: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(site), "HF_HUB_OFFLINE": "1"}
    command = [sys.executable, "-c", "from miagym.cli import main; main()", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True)


@pytest.mark.slow
def test_it_is_listed_beside_ours(site: Path) -> None:
    listed = json.loads(miagym(site, "attacks", "--json").stdout)
    (own,) = (attack for attack in listed if attack["name"] == "brightness")
    assert own["access"] == "black" and own["cost"]["unet_rows"] == 2


@pytest.mark.slow
@pytest.mark.usefixtures("installed")
def test_it_is_evaluated_like_ours(pipelines: dict[str, Path], tmp_path: Path) -> None:
    target = ["--target", str(pipelines["epsilon"]), "--data", "clipart-tune", "--limit", "8"]
    out = ["--attacks", "brightness,brightness+reference", "--out", str(tmp_path / "run")]
    run("evaluate", *target, "--reference", pipelines["v_prediction"], *out)
    results = json.loads((tmp_path / "run" / "results.json").read_text())
    assert {row["attack"]: row["unet_rows"] for row in results["rows"]} == {
        "brightness": 2.0,
        "brightness+reference": 2.0,
    }


def test_it_keeps_the_contract(
    site: Path,
    dummy: DummyTarget,
    drawings: Candidates,
    member: np.ndarray,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.syspath_prepend(site)
    attack = import_module("miagym_brightness").Brightness()
    check_contract(attack, dummy, dummy, drawings, member, tmp_path)
    check_refusal(attack, dummy, drawings, member)


def test_its_target_keeps_the_contract(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(site)
    check_target(import_module("miagym_mean").MeanPicture("mean-picture"))


@pytest.mark.usefixtures("installed")
@pytest.mark.slow
def test_its_target_is_found_by_name_and_attacked(tmp_path: Path) -> None:
    """Brighter to the right, as its mean is: such pictures score as members."""
    for side, slope in (("members", 1), ("nonmembers", -1)):
        (tmp_path / "data" / side).mkdir(parents=True)
        for i in range(40):
            rows = np.random.default_rng(i).integers(0, 20, (16, 16, 3))
            ramp = np.linspace(0, 235, 16)[::slope][None, :, None]
            picture = Image.fromarray((rows + ramp).astype(np.uint8))
            picture.save(tmp_path / "data" / side / f"{i}.png")
            (tmp_path / "data" / side / f"{i}.txt").write_text("a ramp", encoding="utf-8")
    out = ["--attacks", "loss,clid,text-to-image", "--out", str(tmp_path / "run")]
    data = ["--target", "mean-picture", "--data", str(tmp_path / "data")]
    run("evaluate", *data, *out)
    results = json.loads((tmp_path / "run" / "results.json").read_text(encoding="utf-8"))
    (row,) = (row for row in results["rows"] if row["attack"] == "loss")
    assert row["auc"] > 0.9
    why = {each["attack"]: each["why"] for each in results["run"]["skipped"]}
    assert set(why) == {"clid", "text-to-image"}
    assert all("told neither texts nor classes" in each for each in why.values())


@pytest.mark.slow
def test_a_name_that_is_taken_is_one_sentence(site: Path, tmp_path: Path) -> None:
    other = tmp_path / "site"
    subprocess.run(["cp", "-r", str(site), str(other)], check=True)
    (entries,) = other.glob("*.dist-info/entry_points.txt")
    entries.write_text(entries.read_text().replace("brightness =", "loss ="))
    done = miagym(other, "attacks")
    assert done.returncode == 2 and "attacks called loss" in done.stderr


@pytest.mark.parametrize(
    ("instead", "says"),
    [
        pytest.param(
            "raise RuntimeError('out of order')",
            "cannot be made: RuntimeError('out of order')",
            marks=pytest.mark.slow,
        ),
        pytest.param(
            "Brightness = dict",
            "makes a dict; expected an attacks.base.Attack",
            marks=pytest.mark.slow,
        ),
    ],
)
def test_a_broken_package_is_one_sentence(
    site: Path, tmp_path: Path, instead: str, says: str
) -> None:
    broken = tmp_path / "site"
    subprocess.run(["cp", "-r", str(site), str(broken)], check=True)
    (broken / "miagym_brightness.py").write_text(instead)
    done = miagym(broken, "attacks")
    assert done.returncode == 2 and says in done.stderr and "Traceback" not in done.stderr
