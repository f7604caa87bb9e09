"""The folder that goes up, in an environment that holds only what the Space would install."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import yaml
from gradio_client import Client, handle_file

from miagym.app.check.examples import MEMBER, NONMEMBER, examples
from miagym.app.check.service import TARGETS, CheckService
from tests.app.visiting import ADDRESS, ROOT

pytestmark = [pytest.mark.slow, pytest.mark.long]
SECONDS = 300
"""To wait for the page. Every module is compiled first."""


@pytest.fixture(scope="module")
def space(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Assembled by the script, under a folder that lies outside the checkout."""
    folder = tmp_path_factory.mktemp("staged") / "space"
    code = "import sys, pathlib, deploy; deploy.assemble(pathlib.Path(sys.argv[1]))"
    subprocess.run([sys.executable, "-c", code, str(folder)], cwd=ROOT / "spaces", check=True)
    return folder


@pytest.fixture(scope="module")
def python(space: Path) -> Path:
    """That of a fresh environment, with the Space's requirements at the versions of the tests."""
    folder = space.with_name("venv")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    python = folder / "bin" / "python"
    front = (space / "README.md").read_text().split("---\n")[1]
    gradio = f"gradio[oauth,mcp]=={yaml.safe_load(front)['sdk_version']}"
    lines = (space / "requirements.txt").read_text(encoding="utf-8").splitlines(keepends=True)
    listed = space.with_name("listed.txt")  # without the index of torch's smaller builds
    listed.write_text("".join(line for line in lines if line[0] != "-"), encoding="utf-8")
    wanted = ["-r", str(listed), gradio]
    for step in (["torch"], wanted):
        install(python, [*step, "-c", str(ROOT / "constraints.txt")])
    return python


def install(python: Path, wanted: list[str]) -> None:
    """As the Makefile does: torch by pip, the rest by uv, or by pip where uv finds no index."""
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "--no-compile"]
    uv = [str(Path(sys.executable).with_name("uv")), "pip", "install", "--python", str(python)]
    for command in [pip] if wanted[0] == "torch" else [uv, pip]:
        environment = os.environ | {"UV_SYSTEM_CERTS": "1"}
        done = subprocess.run(
            [*command, "--quiet", *wanted], env=environment, capture_output=True, text=True
        )
        if done.returncode == 0:
            return
    pytest.fail(
        "Expected the Space's requirements to be installed into a fresh environment, for which "
        f"it takes a package index; pip said:\n{done.stderr[-2000:]}"
    )


@pytest.fixture(scope="module")
def bare(space: Path) -> dict[str, str]:
    """Variables that lead to nothing of the checkout, and to no calibration that is kept."""
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    temporary = space.with_name("tmp")
    temporary.mkdir()
    own = {"XDG_CACHE_HOME": str(space.with_name("cache")), "TMPDIR": str(temporary)}
    return inherited | own | {"PYTHONNOUSERSITE": "1"}


@pytest.fixture(scope="module")
def address(space: Path, python: Path, bare: dict[str, str]) -> Iterator[str]:
    said = space.with_name("output")
    with (
        said.open("w") as output,
        subprocess.Popen(
            [str(python), "-u", "app.py"], cwd=space, env=bare, stdout=output, stderr=output
        ) as process,
    ):
        try:
            yield address_in(said, process)
        finally:
            process.terminate()


@pytest.fixture(scope="module")
def client(address: str) -> Iterator[Client]:
    with closing(Client(address, verbose=False, analytics_enabled=False)) as client:
        yield client


def address_in(said: Path, process: subprocess.Popen[bytes]) -> str:
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        if found := ADDRESS.search(said.read_text()):
            return found[1]
        time.sleep(0.1)
    raise AssertionError(f"Expected the staged page to come up; it said:\n{said.read_text()}")


def test_nothing_of_the_checkout_is_in_reach(
    space: Path, python: Path, bare: dict[str, str]
) -> None:
    code = "import attacks, miagym, sys; print(attacks.__file__, miagym.__file__, *sys.path)"
    found = subprocess.run(
        [str(python), "-c", code], cwd=space, env=bare, capture_output=True, text=True, check=True
    )
    assert str(ROOT) not in found.stdout and found.stdout.count(str(space)) >= 2


def test_the_staged_page_answers_as_the_checkout(client: Client, space: Path) -> None:
    service = CheckService()
    for target, kind in zip(TARGETS, (MEMBER, NONMEMBER), strict=True):
        known = examples(target)[kind]
        for caption in (known.caption, ""):
            picture = handle_file(known.file)
            answer = client.predict(picture, caption, target, api_name="/check")
            here = service.check(known.file, caption, target).as_json()
            assert answer == json.loads(json.dumps(here))
    assert "Traceback" not in space.with_name("output").read_text()


def test_the_staged_page_evaluates(client: Client) -> None:
    found = client.predict("clipart-overfit", ["loss"], 20, api_name="/evaluate")
    assert {"loss", "blind-pixels"} <= {row["attack"] for row in found["rows"]}
    assert found["command"].startswith("miagym evaluate")
