"""Advice in errors can be followed: what they name is there, for whoever is told."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator
from dataclasses import fields, replace
from functools import cache
from pathlib import Path

import click
import numpy as np
import pytest

import miagym
from miagym.cli import app
from miagym.envs.settings import Settings
from miagym.envs.tables.tabulating import tabulate
from miagym.errors import MiagymError, TargetError, on_the_command_line, option, told
from miagym.hosting.serving import serve_forever
from miagym.oracle.budget import Cost
from miagym.oracle.cache import Cache
from miagym.scorefile.reading.columns import Columns
from miagym.scorefile.stated import Statement
from miagym.training.fine_tune import fine_tune
from miagym.training.plan import FineTuning
from tests.cli.test_every_command import commands, options
from tests.command_line import run

ROOT = Path(miagym.__file__).parent
COMMANDS = commands()
OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]*[a-z]")
COMMAND = re.compile(r"`miagym ([a-z]+)(?: ([a-z]+))?([^`]*)`")
SPOKEN_ON_THE_COMMAND_LINE = {
    "cli": "the command line's own files",
    "exercises/hosted.py": "starts `miagym host`",
    "hosting/codabench/play.py": "a program by itself, with options of its own",
    "app/evaluate/service.py": "writes the command that gives a run of the page again",
}
"""Where options may stand as they are typed; elsewhere `errors.option` says them."""


@cache
def parsed(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"))


def texts(file: Path) -> Iterator[str]:
    """The texts of a module that are no docstrings: what somebody may read in an error."""
    tree = parsed(file)
    alone = {id(n.value) for n in ast.walk(tree) if isinstance(n, ast.Expr)}
    for node in ast.walk(tree):
        is_text = isinstance(node, ast.Constant) and isinstance(node.value, str)
        if is_text and id(node) not in alone:
            yield node.value


FILES = {str(f.relative_to(ROOT)): [*texts(f)] for f in sorted(ROOT.rglob("*.py"))}
FILES |= {f"attacks/{f.name}": [*texts(f)] for f in (ROOT.parent / "attacks").rglob("*.py")}


FLAGS_OF_A_BROWSER = "report/pdf.py"


def advised() -> set[str]:
    """The options that the library's errors speak of."""
    found = set()
    for file in ROOT.rglob("*.py"):
        for node in ast.walk(parsed(file)):
            is_call = isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
            if is_call and node.func.id in ("option", "role_option") and node.args:
                name = node.args[0]
                if isinstance(name, ast.Constant):
                    found.add(str(name.value))
    return found


def test_the_scan_sees_what_it_is_for() -> None:
    assert {"out", "data", "member_value", "calibration_limit", "id"} <= advised()
    assert sum(bool(COMMAND.search(t)) for all_ in FILES.values() for t in all_) >= 8


@pytest.mark.parametrize("name", sorted(advised()))
def test_an_option_that_errors_speak_of_is_there(name: str) -> None:
    flag = f"--{name.replace('_', '-')}"
    assert any(flag in options(command) for command in COMMANDS.values())


def test_keywords_that_errors_speak_of_are_there() -> None:
    functions = (miagym.evaluate, miagym.check, miagym.audit, miagym.score, miagym.gate, FineTuning)
    known = {
        name
        for function in (*functions, serve_forever)
        for name in inspect.signature(function).parameters
    }
    known |= {field.name for field in fields(Columns)} | {field.name for field in fields(Settings)}
    known |= set(inspect.signature(tabulate).parameters)
    known |= set(inspect.signature(fine_tune).parameters) | {"source"}  # of `embedded.build.build`
    assert advised() <= known
    assert {"auc", "tpr", "fpr"} == set(inspect.signature(Statement.of).parameters)


def test_the_library_leaves_options_to_those_who_type_them() -> None:
    odd = {
        f"{file}: {found}"
        for file, all_ in FILES.items()
        if not file.startswith((*SPOKEN_ON_THE_COMMAND_LINE, FLAGS_OF_A_BROWSER))
        for text in all_
        for found in OPTION.findall(text)
    }
    places = "oracle/cache.py", "targets/memory.py"
    spoken = {f"{place}: {name}" for place in places for name in ("--device", "--dtype")}  # `told`
    assert odd == spoken


def test_the_command_line_s_own_texts_name_options_that_are_there() -> None:
    known = {flag for command in COMMANDS.values() for flag in options(command)} | {"--version"}
    named = {
        flag
        for file, all_ in FILES.items()
        if file.startswith(("cli", "app/evaluate/service.py"))
        for text in all_
        for flag in OPTION.findall(text)
    }
    assert named - {"--help"} <= known and "--from" in named


def test_commands_that_errors_name_are_there() -> None:
    for file, all_ in FILES.items():
        for text in all_:
            for first, second, rest in COMMAND.findall(text):
                name = f"{first} {second}".strip()
                command = COMMANDS.get(name) or COMMANDS.get(first)
                is_group = any(known.startswith(f"{first} ") for known in COMMANDS)
                assert command is not None or is_group, f"{file}: miagym {name}"
                for flag in OPTION.findall(rest):
                    assert command is not None and flag in options(command), f"{file}: {flag}"


GUIDES = sorted([*ROOT.parent.glob("*.md"), *ROOT.parent.glob("docs/**/*.md")])


@pytest.mark.parametrize("guide", [str(path.relative_to(ROOT.parent)) for path in GUIDES])
def test_commands_in_guides_can_be_typed(guide: str) -> None:
    whole = (ROOT.parent / guide).read_text(encoding="utf-8").replace("\\\n", " ")
    text = "\n".join(re.findall(r"```(?:sh|bash|text|)\n(.*?)```", whole, re.DOTALL))
    for first, second, rest in re.findall(
        r"^(?:\$ )?miagym ([a-z]+)(?: ([a-z]+))?(?= |$)(.*)$", text, re.MULTILINE
    ):
        command = COMMANDS.get(f"{first} {second}".strip()) or COMMANDS.get(first)
        assert isinstance(command, click.Command) or hasattr(command, "params"), first
        for flag in OPTION.findall(rest.partition("#")[0]):
            assert flag in options(command), f"{guide}: miagym {first} {flag}"


def test_who_is_told_what() -> None:
    assert option("member_value", "0") == "member_value='0'" and option("out") == "out=..."
    with on_the_command_line():
        assert option("member_value", "0") == "--member-value 0" and option("out") == "--out"
    assert told("typed", "called") == "called"


def of_python(call: object, *arguments: object, **options: object) -> str:
    with pytest.raises(MiagymError) as caught:
        call(*arguments, **options)  # type: ignore[operator]
    return str(caught.value)


def typed(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    run(*arguments, code=2)
    return capsys.readouterr().err.strip()


def test_a_folder_that_is_taken_names_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "x").write_text("", encoding="utf-8")
    ours = of_python(miagym.evaluate, "clipart-overfit", attacks="loss", out=tmp_path, limit=2)
    theirs = typed(
        capsys, "evaluate", "--target", "clipart-overfit", "--out", tmp_path, "--limit", 2
    )
    assert ours.endswith("choose another out=....")
    assert theirs.endswith("choose another --out.")


def test_a_column_that_is_not_there_names_what_would_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "a.csv"
    file.write_text("loss,label\n" + "".join(f"{i},{i % 2}\n" for i in range(40)), encoding="utf-8")
    assert "did you mean --member label?" in typed(capsys, "score", file, "--score", "loss")
    lower = tmp_path / "b.csv"
    lower.write_text("Loss,member\n" + "".join(f"{i},{i % 2}\n" for i in range(40)), "utf-8")
    told_ = typed(capsys, "score", lower, "--score", "loss")
    assert "did you mean --score Loss --lower-is-member?" in told_
    run("score", lower, "--score", "Loss", "--lower-is-member")
    theirs = typed(capsys, "score", file, "--score", "loss")
    assert "did you mean --member label?" in theirs
    run("score", file, "--score", "loss", "--member", "label", "--lower-is-member")
    ours = of_python(miagym.score, file, columns=Columns(score=("loss",)))
    advice = re.search(r"did you mean (Columns\(.*?\))\?", ours)
    assert advice and advice[1] == "Columns(member='label')"
    assert miagym.score(file, columns=Columns(score=("loss",), member="label")).rows


def test_labels_that_say_nothing_name_the_value(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "a.csv"
    rows = "".join(f"{i / 7},{'ab'[i % 2]}\n" for i in range(40))
    file.write_text("score,member\n" + rows, encoding="utf-8")
    assert "(--member-value)" in typed(capsys, "score", file)
    run("score", file, "--member-value", "a")
    assert "(member_value=...)" in of_python(miagym.score, file)
    assert miagym.score(file, member_value="a").rows


def test_the_calibration_limit_is_named_only_where_it_is_in_the_way(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    data = miagym.load_data("clipart-tune")
    picture = tmp_path / "a.png"
    picture.write_bytes(data.pictures[0])  # type: ignore[arg-type]
    options = {"target": "clipart-overfit", "attacks": "loss", "reference": None}
    ours = of_python(miagym.check, picture, calibration_limit=2, **options)
    assert ours.endswith("raise calibration_limit=....")
    few = np.concatenate([np.flatnonzero(data.member == side)[:3] for side in (True, False)])
    part = np.where(np.isin(np.arange(len(data)), few), "calibration", "test")
    smaller = of_python(miagym.check, picture, data=replace(data, part=part), **options)
    assert "limit" not in smaller and smaller.endswith("`part` says calibration.")
    typed_ = ("check", picture, "--target", "clipart-overfit", "--attacks", "loss")
    theirs = typed(capsys, *typed_, "--reference", "-", "--calibration-limit", 2)
    assert theirs.endswith("raise --calibration-limit.")


def test_an_overflow_is_mended_as_it_says(capsys: pytest.CaptureFixture[str]) -> None:
    """`--device` is there wherever a target is loaded, and the CPU computes in full precision."""
    import torch

    def overflows() -> None:
        Cache().fetch([1], lambda rows: torch.full((1, 2), torch.inf), Cost(), 1)

    assert "load it with dtype='float32'" in of_python(overflows)
    assert "dtype" in inspect.signature(miagym.load_target).parameters
    with on_the_command_line():
        assert "say --dtype float32 or --device cpu" in of_python(overflows)
    loaders = ("evaluate", "check", "train", "page")
    assert all("--dtype" in options(COMMANDS[name]) for name in ("evaluate", "check"))
    assert all("--device" in options(COMMANDS[name]) for name in loaders)


@pytest.mark.parametrize("name", ["./nope", "~/nope", "runs/deep/nope", "{here}/nope", "here/nope"])
def test_a_mistyped_path_is_no_hub_id(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path)
    wrong = name.format(here=tmp_path)
    with pytest.raises(TargetError, match=f"There is no folder or file {re.escape(wrong)}; exp"):
        miagym.load_target(wrong)
    with pytest.raises(MiagymError, match=f"There is no f.* {re.escape(wrong)}"):
        miagym.load_data(wrong)
    with pytest.raises(MiagymError, match=f"There is no folder {re.escape(wrong)}; expected"):
        miagym.load_data(f"hf:{wrong}")


def test_a_hub_id_that_cannot_be_had_gives_no_advice_of_other_libraries() -> None:
    with pytest.raises(TargetError) as caught:
        miagym.load_target("some-owner/some-model")
    assert "local_files_only" not in str(caught.value)
    assert "the hub cannot be reached" in str(caught.value)


def test_the_app_says_options_in_any_command() -> None:
    from typer.testing import CliRunner

    found = CliRunner().invoke(app, ["data", "clean", "clipart", "--out", "x.csv"])
    assert "Expected --out to end in .parquet" in str(found.exception)
    assert option("out") == "out=...", "the command line is over"
