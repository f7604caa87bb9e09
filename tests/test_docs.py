"""What the guides show is what happens."""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
import yaml

import miagym
from attacks import blind_names, make_attack
from attacks.base import Attack
from miagym.candidates import Candidates
from miagym.oracle import Oracle
from miagym.targets.contract import check_target
from miagym.targets.dummy import DummyTarget

ROOT = Path(__file__).parent.parent


def code(path: str) -> str:
    """The first Python block of a guide."""
    found = re.search(r"```python\n(.*?)```", (ROOT / path).read_text(), re.DOTALL)
    assert found
    return found[1]


def blocks(path: str) -> list[str]:
    """All Python blocks of a guide."""
    return re.findall(r"```python\n(.*?)```", (ROOT / path).read_text(), re.DOTALL)


@pytest.mark.parametrize(
    ("guide", "promises"),
    [("README.md", 0), pytest.param("docs/python.md", 4, marks=pytest.mark.slow)],
)
def test_python_prints_what_it_says(
    guide: str,
    promises: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """In a folder of its own, block after block, as in a notebook."""
    module = ModuleType("notebook")
    monkeypatch.setitem(sys.modules, "notebook", module)  # dataclasses look it up there
    monkeypatch.chdir(tmp_path)
    source = "\n".join(blocks(guide))
    # Where no number is promised, fewer candidates print the same table.
    exec(source if promises else source.replace("limit=100", "limit=20"), vars(module))
    printed = capsys.readouterr().out.splitlines()
    promised = re.findall(r"^print\(.*?\)  # (True|False|\d.*|True False)$", source, re.MULTILINE)
    assert len(promised) == promises
    assert [line for line in printed if line in promised] == promised
    table = "\n".join(printed)
    assert all(name in table for name in (*blind_names(), "pia"))
    drawn = re.findall(r"save\(\"(.*?)\"\)", source)
    assert all((tmp_path / file).stat().st_size for file in drawn)


def test_the_example_of_an_attack_keeps_the_contract(
    dummy: DummyTarget, drawings: Candidates, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = ModuleType("my_attack")
    monkeypatch.setitem(sys.modules, "my_attack", module)  # dataclasses look it up there
    exec(code("attacks/README.md"), vars(module))
    kind = module.MyAttack
    assert isinstance(kind, type) and issubclass(kind, Attack)
    attack, oracle = kind(), Oracle(dummy)
    scores = attack(oracle, drawings[:4])
    assert oracle.meter.total() == attack.cost * 4
    assert f"print(MyAttack().cost)  # {attack.cost}\n" in (ROOT / "attacks/README.md").read_text()
    one = make_attack("loss")
    again = type(one)(timestep=200, draws=1)(Oracle(dummy), drawings[:4])
    torch.testing.assert_close(torch.from_numpy(scores), torch.from_numpy(again))


def test_the_example_of_a_target_keeps_the_contract() -> None:
    guide = (ROOT / "docs/bring/targets.md").read_text("utf-8")
    (source,) = re.findall(r"```py\n((?:(?!```).)*class MeanPicture.*?)```", guide, re.DOTALL)
    pasted: dict[str, Any] = {}
    exec(source, pasted)
    check_target(pasted["MeanPicture"]("mean"))


@pytest.mark.long
@pytest.mark.slow
def test_the_first_agent_is_right_about_as_often_as_its_guide_says(
    capsys: pytest.CaptureFixture[str],
) -> None:
    exec(code("docs/play/environment.md"), {})
    accuracy, low, high = map(float, re.findall(r"0\.\d+", capsys.readouterr().out))
    assert 0.8 < low < accuracy < high < 0.98


def test_the_example_of_a_set_prints_what_it_says(capsys: pytest.CaptureFixture[str]) -> None:
    (source,) = re.findall(
        r"```py\n((?:(?!```).)*DatasetInference.*?)```",
        (ROOT / "attacks/README.md").read_text(),
        re.DOTALL,
    )
    exec(source, {})
    assert capsys.readouterr().out == "True\n"


def test_the_readme_is_for_a_stranger() -> None:
    readme = (ROOT / "README.md").read_text()
    assert len(readme.splitlines()) <= 120
    assert "](docs/images/first-figure.png)" in readme
    assert len(blocks("README.md")[0].split("\n\n")[1].splitlines()) <= 3
    assert re.search(r"^make demo .*\nmake test ", readme, re.MULTILINE)


def test_one_version_is_named_everywhere() -> None:
    released = re.findall(
        r"^## \[(\d.*?)\] - (\S+)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE
    )
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert (citation["version"], citation["date-released"]) == released[0]
    assert released[0][0] == miagym.__version__
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert "version" not in project["project"]


def test_the_paper_is_cited() -> None:
    (paper,) = yaml.safe_load((ROOT / "CITATION.cff").read_text())["references"]
    names = [author["family-names"] for author in paper["authors"]]
    assert names == ["Dubiński", "Kowalczuk", "Pawlak", "Rokita", "Trzciński", "Morawiecki"]
    assert paper["url"] == "https://arxiv.org/abs/2306.12983"


PAGES = sorted(str(page.relative_to(ROOT)) for page in ROOT.glob("docs/**/*.md"))
GUIDES = [
    *("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md", "attacks/README.md"),
    *PAGES,
]


@pytest.mark.parametrize("guide", GUIDES)
def test_links_lead_somewhere(guide: str) -> None:
    for link in re.findall(r"\]\((?!http)([^)#]+)\)", (ROOT / guide).read_text()):
        assert (ROOT / guide).parent.joinpath(link).exists(), link


A_RULE = re.compile(r"\|(?: *:?-+:? *\|)+ *")
"""What stands between the header of a table and its rows."""


@pytest.mark.parametrize("guide", GUIDES)
def test_tables_stand_whole_and_by_themselves(guide: str) -> None:
    """A row behind an empty line is text with pipes, and text behind a row is one more row."""
    text = (ROOT / guide).read_text("utf-8")
    prose = re.sub(r"^( *)(```+).*?^\1\2 *$", "", text, flags=re.MULTILINE | re.DOTALL)
    for passage in re.split(r"\n(?: *\n)+", prose):
        lines = [line.strip() for line in passage.strip().splitlines()]
        if any(line.startswith("|") for line in lines):
            assert all(line.startswith("|") for line in lines), passage
            assert len(lines) > 1 and A_RULE.fullmatch(lines[1]), passage


SAID = [*GUIDES, *(str(f.relative_to(ROOT)) for f in ROOT.glob("benchmarks/*/*.py"))]
A_PATH = re.compile(r"(?<![\w./-])(?:tests|miagym|attacks|benchmarks|spaces)/[\w./-]+")
NO_PATHS = re.compile(r"^miagym/[\w-]+-v0$|/test_my_attack\.py$")
"""Environments, and what an example would be called."""


@pytest.mark.parametrize("text", SAID)
def test_files_that_texts_name_are_there(text: str) -> None:
    found = (path.rstrip("./-") for path in A_PATH.findall((ROOT / text).read_text("utf-8")))
    places = ROOT, (ROOT / text).parent  # links go from where they stand
    missing = {path for path in found if not any((place / path).exists() for place in places)}
    assert not {path for path in missing if not NO_PATHS.search(path)}


def test_contributors_are_told_the_floors_that_are_enforced() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]
    (floors,) = [one["layers"] for one in contracts["contracts"] if one["type"] == "layers"]
    told = re.findall(r"```text\n(cli .*?)```", (ROOT / "CONTRIBUTING.md").read_text(), re.DOTALL)
    assert " > ".join(floors).split() == told[0].split()


def test_every_convention_of_data_names_its_test() -> None:
    rows = re.findall(
        r"\| `(test_\w+)` \|$", (ROOT / "docs/bring/data.md").read_text(), re.MULTILINE
    )
    files = (ROOT / "tests" / "data").rglob("test_*.py")
    there = set(re.findall(r"def (test_\w+)", "".join(f.read_text("utf-8") for f in files)))
    assert len(rows) > 20 and set(rows) <= there


def test_exercises_have_as_many_gaps_as_the_class_is_told() -> None:
    """A function that raises NotImplementedError, or an answer that is `...`."""
    guide = (ROOT / "docs/exercises/README.md").read_text("utf-8")
    told = re.findall(r"/(\d_\w+\.py)\) \|.*\| (\d+) \| \d+ min \|$", guide, re.MULTILINE)
    scripts = sorted((ROOT / "miagym/exercises/scripts").glob("[0-9]*.py"))
    a_gap = re.compile(r"raise NotImplementedError|^\w+ = \.\.\.", re.MULTILINE)
    gaps = [(f.name, str(len(a_gap.findall(f.read_text("utf-8"))))) for f in scripts]
    assert len(gaps) == 6 and told == gaps
