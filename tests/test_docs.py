"""What the guides show is what happens."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from types import ModuleType

import pytest
import torch

from attacks import make_attack
from attacks.base import Attack
from miagym.candidates import Candidates
from miagym.oracle import Oracle
from miagym.targets.dummy import DummyTarget

ROOT = Path(__file__).parent.parent


def code(path: str) -> str:
    """The first Python block of a guide."""
    found = re.search(r"```python\n(.*?)```", (ROOT / path).read_text(), re.DOTALL)
    assert found
    return found[1]


def test_the_readme_s_example_prints_what_it_says(capsys: pytest.CaptureFixture[str]) -> None:
    source = code("README.md")
    exec(source, {})
    promised = re.findall(r"^print\(.*?\) +# (.*)$", source, re.MULTILINE)
    assert len(promised) == 2
    assert capsys.readouterr().out.splitlines() == promised


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


def test_the_first_agent_is_right_about_as_often_as_its_guide_says(
    capsys: pytest.CaptureFixture[str],
) -> None:
    exec(code("docs/environment.md"), {})
    accuracy, low, high = map(float, re.findall(r"0\.\d+", capsys.readouterr().out))
    assert 0.8 < low < accuracy < high < 0.96


def test_the_example_of_a_set_prints_what_it_says(capsys: pytest.CaptureFixture[str]) -> None:
    (source,) = re.findall(
        r"```py\n((?:(?!```).)*DatasetInference.*?)```",
        (ROOT / "attacks/README.md").read_text(),
        re.DOTALL,
    )
    exec(source, {})
    assert capsys.readouterr().out == "True\n"


PAGES = sorted(str(page.relative_to(ROOT)) for page in ROOT.glob("docs/**/*.md"))
GUIDES = ["README.md", "attacks/README.md", *PAGES]


@pytest.mark.parametrize("guide", GUIDES)
def test_links_lead_somewhere(guide: str) -> None:
    for link in re.findall(r"\]\((?!http)([^)#]+)\)", (ROOT / guide).read_text()):
        assert (ROOT / guide).parent.joinpath(link).exists(), link
