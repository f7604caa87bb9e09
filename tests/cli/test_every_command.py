"""What holds for every command: `-h`, `--json`, help where nothing was said."""

from __future__ import annotations

import json
from pathlib import Path

import click
import pytest
import typer
from typer.testing import CliRunner

import miagym
from miagym.cli import app
from miagym.cli.shared.console import progress_bar


def commands() -> dict[str, click.Command]:
    """All commands by what is typed after `miagym`."""
    root, found = typer.main.get_command(app), {}
    for name, command in root.commands.items():  # type: ignore[attr-defined]
        if getattr(command, "invoke_without_command", False):
            found[name] = command
        for inner, below in getattr(command, "commands", {"": command}).items():
            found[f"{name} {inner}".strip()] = below
    return found


def called(*arguments: object):
    return CliRunner().invoke(app, [*map(str, arguments)], prog_name="miagym")


def options(command: click.Command) -> set[str]:
    return {option for parameter in command.params for option in parameter.opts}


def test_the_version() -> None:
    found = called("--version")
    assert (found.exit_code, found.output) == (0, f"miagym {miagym.__version__}\n")


@pytest.mark.parametrize("name", ["", "data", "exercise", *commands()])
def test_short_and_long_help_are_one(name: str) -> None:
    short, long = called(*name.split(), "-h"), called(*name.split(), "--help")
    assert short.exit_code == 0 and short.output == long.output
    assert f"Usage: miagym {name}".strip() in short.output


PAGES = ("page", "paper", "host")
"""Commands that serve or write a page, or a game; each stage of a paper has its results.json."""


@pytest.mark.parametrize("name", ["", "data", "exercise"])
def test_a_group_alone_shows_its_help(name: str) -> None:
    found = called(*name.split())
    assert "Missing command" not in found.output
    assert found.output.strip() == called(*name.split(), "--help").output.strip()


@pytest.mark.parametrize("name", [name for name in commands() if name not in PAGES])
def test_every_command_that_prints_a_result_prints_json(name: str) -> None:
    assert "--json" in options(commands()[name])


def test_completion_knows_the_commands() -> None:
    assert "--install-completion" in called("--help").output
    asked = {"COMP_WORDS": "miagym da", "COMP_CWORD": "1", "_MIAGYM_COMPLETE": "complete_bash"}
    found = CliRunner().invoke(app, [], prog_name="miagym", env=asked)
    assert found.output.split() == ["data"]


def test_art_says_what_it_counted_as_json(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`build` needs Debian's packages; what is tested is what becomes of its counts."""
    from collections import Counter

    from miagym.embedded import build

    def counted(source: Path, out: Path, progress) -> Counter[str]:
        return Counter({"kept": sum(1 for _ in progress(range(3), 3)), "copies": 1})

    monkeypatch.setattr(build, "build", counted)
    found = called("art", "--out", tmp_path / "a.parquet", "--json")
    drawings = {"kept": 3, "copies": 1}
    assert json.loads(found.output) == {"file": str(tmp_path / "a.parquet"), "drawings": drawings}


def test_a_bar_that_is_not_shown_prints_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with progress_bar(shown=False) as bar:
        assert list(bar.track(range(3), description="asking")) == [0, 1, 2]
    assert capsys.readouterr() == ("", "")


@pytest.mark.slow
def test_a_fine_tuning_names_its_targets_as_json(tmp_path: Path) -> None:
    found = called(
        *("train", "--from", "clipart-realistic", "--data", "clipart-tune", "--limit", 2),
        *("--epochs", 2, "--checkpoints", "0,1", "--out", tmp_path / "tuned", "--json"),
    )
    told = json.loads(found.stdout)
    assert told["from"] == "clipart-realistic" and told["targets"][-1] == str(tmp_path / "tuned")
    assert all(Path(target.split("@")[0]).is_dir() for target in told["targets"])
    assert told["evaluate"].startswith("miagym evaluate --attacks loss --target ")
