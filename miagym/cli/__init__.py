"""The command line. Each command is in the file of its name."""

from __future__ import annotations

import os
import sys
from io import TextIOWrapper
from typing import Annotated

import typer

from miagym import __version__
from miagym.cli.art import art
from miagym.cli.attacks import attacks
from miagym.cli.audit import audit
from miagym.cli.calibrate import calibrate
from miagym.cli.check import check
from miagym.cli.data import data
from miagym.cli.demo import demo
from miagym.cli.evaluate import evaluate
from miagym.cli.exercise import exercise
from miagym.cli.folders.diff import diff
from miagym.cli.folders.merge import merge
from miagym.cli.gate import gate
from miagym.cli.hosting.bench import bench
from miagym.cli.hosting.classroom import classroom
from miagym.cli.hosting.host import host
from miagym.cli.page import page
from miagym.cli.paper import paper
from miagym.cli.population import population
from miagym.cli.score import score
from miagym.cli.shared.failing import FAILED, sentence_of
from miagym.cli.tables.tabulate import tabulate
from miagym.cli.train import train
from miagym.errors import MiagymError, on_the_command_line

app = typer.Typer(
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},  # of every command below it, too
    pretty_exceptions_enable=False,
)


def _print_version(asked: bool) -> None:
    if asked:
        print(f"miagym {__version__}")
        raise typer.Exit


@app.callback()
def options(
    context: typer.Context,
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    """Membership inference on diffusion models, as a fair game."""
    context.with_resource(on_the_command_line())


for command in (
    evaluate,
    diff,
    merge,
    demo,
    paper,
    page,
    audit,
    score,
    gate,
    check,
    calibrate,
    attacks,
    train,
    population,
    bench,
    tabulate,
    art,
):
    app.command()(command)

app.add_typer(data, name="data")
app.add_typer(exercise, name="exercise")
app.add_typer(host, name="host")
app.add_typer(classroom, name="class")

INTERRUPTED = 130


def main() -> None:
    """Entry point: what goes wrong ends in one sentence, Ctrl-C in another; none exits with 0."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")  # a pipe that knows no – or ≤ is no failure
    for word in sys.argv[1:]:
        if not word.isascii() and any("\udc80" <= letter <= "\udcff" for letter in word):
            name = os.fsencode(word).decode("utf-8", errors="replace")
            _fail(
                f"{name} holds letters that this locale does not know "
                f"({sys.getfilesystemencoding()}); set PYTHONUTF8=1 and try again."
            )
    try:
        app(prog_name="miagym", standalone_mode=True)
    except BrokenPipeError:  # somebody piped us into `head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(FAILED)
    except (MiagymError, OSError) as error:
        _fail(sentence_of(error))
    except SystemExit as stop:
        if stop.code == INTERRUPTED:  # typer turns Ctrl-C into this
            print("\nStopped. What is finished is kept; the same command goes on.", file=sys.stderr)
        raise


def _fail(why: str) -> None:
    print(f"miagym: {why}", file=sys.stderr)
    sys.exit(FAILED)
