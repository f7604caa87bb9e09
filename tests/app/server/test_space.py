"""The Space: its cards, its requirements, and the folder that goes up, started as it is."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from types import ModuleType

import pytest
import yaml

import miagym

ROOT = Path(__file__).parents[3]
SPACES = ROOT / "spaces"
NAME = re.compile(r"^[A-Za-z0-9_.-]+")
COLOURS = {"red", "yellow", "green", "blue", "indigo", "purple", "pink", "gray"}


@pytest.fixture(scope="module")
def deploy() -> ModuleType:
    """spaces/deploy.py, which is a script in no package."""
    spec = importlib.util.spec_from_file_location("deploy", SPACES / "deploy.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # where dataclasses look
    spec.loader.exec_module(module)
    return module


def names(requirements: list[str]) -> set[str]:
    found = (NAME.match(line) for line in requirements)
    return {match[0].lower() for match in found if match}


def requirements() -> list[str]:
    lines = (SPACES / "requirements.txt").read_text().splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def test_the_folder_is_no_package() -> None:
    """With an `__init__.py` it would shadow the package `spaces` that lends GPUs."""
    assert not (SPACES / "__init__.py").exists()


def test_requirements_are_those_of_the_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = names(project["dependencies"]) - {"gradio"}  # the card's sdk_version pins it
    assert names(requirements()) == wanted
    assert not any(line.startswith((".", "-", "git+")) for line in requirements())


def test_the_version_needs_no_installation() -> None:
    """A Space installs requirements, and no miagym, whose version names calibrations and runs."""
    about = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert "version" in about["project"]["dynamic"]
    read = about["tool"]["setuptools"]["dynamic"]["version"]
    assert read == {"attr": "miagym.__version__"} and re.fullmatch(r"[\d.]+", miagym.__version__)
    asking = re.compile(r"""version\(["']miagym["']\)""")
    assert not [path for path in (ROOT / "miagym").rglob("*.py") if asking.search(path.read_text())]


@pytest.mark.parametrize("card", ["README.md", "classroom.md", "stable-diffusion.md"])
def test_cards_hold_what_the_hub_asks_for(card: str) -> None:
    _, front, text = (SPACES / card).read_text().split("---\n", 2)
    about = yaml.safe_load(front)
    pinned = re.search(r"^gradio==(.+)$", (ROOT / "constraints.txt").read_text(), re.MULTILINE)
    assert pinned and about["sdk_version"] == pinned[1]
    assert about["sdk"] == "gradio" and (ROOT / about["app_file"]).is_file()
    assert isinstance(about["python_version"], str), "3.10 as a number is 3.1"
    assert {about["colorFrom"], about["colorTo"]} <= COLOURS
    assert len(about["short_description"]) <= 60 and text.strip()


def test_the_folder_holds_the_page_and_nothing_else(deploy: ModuleType, tmp_path: Path) -> None:
    folder = deploy.assemble(tmp_path / "space", deploy.Kind(classroom=True))
    names = {"app.py", "LICENSE", "README.md", "requirements.txt", "miagym", "attacks"}
    assert {path.name for path in folder.iterdir()} == names
    assert "for a class" in (folder / "README.md").read_text()
    assert not list(folder.rglob("__pycache__"))
    assert sum(path.stat().st_size for path in folder.rglob("*")) < 106e6
    with pytest.raises(SystemExit, match="not empty"):
        deploy.assemble(folder)


def test_torch_is_the_build_of_the_machine(deploy: ModuleType) -> None:
    """On two processors without CUDA; where a GPU is lent, no newer one than is accepted there."""
    index, *lines = deploy.requirements(gpu=False).splitlines()
    assert index == "--extra-index-url https://download.pytorch.org/whl/cpu"
    assert names(lines) == names(requirements()) and "torch>=2.8" in lines
    lent = deploy.requirements(gpu=True).splitlines()
    assert "torch>=2.8,<2.12" in lent and names(lent) == names(requirements())
    assert not any(line.startswith("-") for line in lent)


def a_calibration(folder: Path, target: str, reference: str | None = None) -> Path:
    folder.mkdir()
    record = {"target": target, "reference": reference}
    (folder / "calibration.json").write_text(json.dumps(record), encoding="utf-8")
    return folder


def test_a_space_brings_the_calibrations_of_models_of_the_hub(
    deploy: ModuleType, tmp_path: Path
) -> None:
    known = a_calibration(tmp_path / "sd", "CompVis/stable-diffusion-v1-4")
    folder = deploy.assemble(tmp_path / "space", deploy.Kind(calibrations=(known,), gpu=True))
    (kept,) = (folder / "calibrations").iterdir()
    assert kept.name == "00-stable-diffusion-v1-4" and (kept / "calibration.json").is_file()
    assert "LAION-mi" in (folder / "README.md").read_text(encoding="utf-8")


def test_a_space_cannot_load_what_lies_on_this_machine(deploy: ModuleType, tmp_path: Path) -> None:
    here = a_calibration(tmp_path / "here", str(tmp_path))
    based = a_calibration(tmp_path / "based", "owner/model", str(tmp_path))
    lora = a_calibration(tmp_path / "lora", "owner/model+style.safetensors")
    for folder, why in (
        (here, "lies on this machine"),
        (based, "lies on this machine"),
        (lora, "lies on this machine"),
        (tmp_path, "holds no calibration"),
    ):
        with pytest.raises(SystemExit, match=why):
            deploy.assemble(tmp_path / "space", deploy.Kind(calibrations=(folder,)))
    assert not (tmp_path / "space").exists()


@pytest.mark.slow
def test_the_front_door_opens_where_spaces_is_only_a_folder(tmp_path: Path) -> None:
    """As on a machine without the package `spaces`, with the variables of a Space."""
    code = (
        "import app, sys; assert sys.modules['spaces'] is None; "
        "import gradio as gr; assert isinstance(app.demo, gr.Blocks)"
    )
    variables = {**os.environ, "SYSTEM": "spaces", "SPACE_ID": "owner/space"}
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=variables, check=True, timeout=120)


def test_a_push_needs_a_name(deploy: ModuleType) -> None:
    command = [sys.executable, str(SPACES / "deploy.py"), "miagym"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 2 and "owner/name" in done.stderr
