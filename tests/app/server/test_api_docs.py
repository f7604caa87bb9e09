"""What docs/page.md and docs/api.md show programs and agents is what a served page does."""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from gradio_client import Client
from PIL import Image

from miagym.app.audit.service import ROWS_A_SIDE, SPLITS
from miagym.app.check.examples import MEMBER, examples
from miagym.app.check.service import TARGETS, check_service
from miagym.app.evaluate.service import BUDGETS, MAX_CANDIDATES, MIN_CANDIDATES, QUICK_ATTACKS
from miagym.app.page import LAUNCH_OPTIONS
from miagym.app.server.jobs import MAX_MINUTES
from miagym.app.server.sandboxed_table import MAX_CAPTION, MAX_ROWS
from miagym.app.site import ROWS_AN_HOUR
from miagym.checking.answer import SCHEMA
from miagym.checking.upload import MAX_PIXELS
from miagym.targets.registry import target_names

pytestmark = pytest.mark.slow
"""In the quick tier, `test_whole_page` uses every tab."""

ROOT = Path(__file__).parents[3]
PAGE = "http://127.0.0.1:7860"
"""The address that the guides show."""
TOOLS = {"check", "evaluate", "audit"}
GUIDE = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
BRIEF = (ROOT / "docs" / "page.md").read_text(encoding="utf-8")


def blocks(text: str, *languages: str) -> list[str]:
    """Fenced blocks in one of the languages."""
    found = re.findall(r"^```(\w+)\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    return [block for language, block in found if language in languages]


def scripts(text: str) -> list[str]:
    """Python blocks that ask a page, each with those after it that go on from there."""
    found: list[str] = []
    for block in blocks(text, "py", "python"):
        if PAGE in block:
            found.append(block)
        elif found and text is GUIDE:
            found[-1] += block
    return found


def promised(script: str) -> list[str]:
    """What each `print(...)  # ...` is said to print."""
    return re.findall(r"^ *print\(.*\)  # (.*)$", script, re.MULTILINE)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with drawing.png: of the drawing that the guide speaks of, the very pixels."""
    folder = tmp_path_factory.mktemp("stranger")
    drawing = examples("clipart-overfit")[MEMBER]
    assert drawing.caption in GUIDE
    with Image.open(drawing.file) as picture:
        picture.save(folder / "drawing.png")
    return folder


def run(command: list[str], folder: Path) -> list[str]:
    """Lines that a command prints, with drawing.png beside it and this Python's tools at hand."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    env = os.environ | {"PATH": path, "GRADIO_ANALYTICS_ENABLED": "False"}
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return [line for line in done.stdout.splitlines() if line.strip()]


def at(url: str, snippet: str) -> str:
    """A snippet that asks the page at this address."""
    return snippet.replace(PAGE, url.rstrip("/"))


def test_no_snippet_is_passed_over() -> None:
    assert len(blocks(GUIDE, "py", "sh", "json")) == GUIDE.count("```") / 2
    assert [len(scripts(text)) for text in (BRIEF, GUIDE)] == [1, 2]
    assert [len(promised(script)) for script in scripts(GUIDE)] == [7, 3]
    assert [len(blocks(text, "json")) for text in (BRIEF, GUIDE)] == [1, 1]


@pytest.mark.parametrize("script", [*scripts(BRIEF), *scripts(GUIDE)])
def test_python_prints_what_it_says(script: str, url: str, folder: Path) -> None:
    printed = run([sys.executable, "-c", at(url, script)], folder)
    printed = [line for line in printed if not line.startswith("Loaded as API")]
    assert printed == (promised(script) or ["member-like"])


@pytest.mark.skipif(not shutil.which("curl"), reason="needs curl")
@pytest.mark.parametrize("script", blocks(GUIDE, "sh"))
def test_curl_prints_what_it_says(script: str, url: str, folder: Path) -> None:
    printed = run(["bash", "-euc", at(url, script)], folder)
    events = [line for line in printed if "heartbeat" not in line and line != "data: null"]
    said = re.findall(r"^# (.*?)…?$", script, re.MULTILINE)
    assert len(said) == 2 and len(events) == 2
    for line, start in zip(events, said, strict=True):
        assert line.startswith(start)
    (answer,) = json.loads(events[-1].removeprefix("data: "))
    assert answer["schema"] == SCHEMA and answer["verdict"] == "member-like"


AGENT = """
import asyncio, json, os, sys
from contextlib import AsyncExitStack
from mcp import ClientSession, StdioServerParameters, stdio_client
from mcp.client.streamable_http import streamable_http_client

servers, calls = json.loads(sys.argv[1])["mcpServers"], json.load(open(sys.argv[2]))

async def opened(stack, server):
    if "url" in server:
        transport = streamable_http_client(server["url"])
    else:
        transport = stdio_client(StdioServerParameters(**server, env=dict(os.environ)))
    read, write, *_ = await stack.enter_async_context(transport)
    session = await stack.enter_async_context(ClientSession(read, write))
    await session.initialize()
    return session

async def main():
    async with AsyncExitStack() as stack:
        sessions = {name: await opened(stack, server) for name, server in servers.items()}
        tools = (await sessions["miagym"].list_tools()).tools
        print(json.dumps([tool.model_dump() for tool in tools]))
        text = None
        for server, tool, given in calls:
            if "it" in given.values():  # what the call before gave
                given = {name: text if value == "it" else value for name, value in given.items()}
            answer = await sessions[server].call_tool(tool, given)
            text = answer.content[0].text
            print(json.dumps([answer.isError, text]))

asyncio.run(main())
"""
"""An agent's side of a configuration: what tools the page has, and the answers to calls."""


def agent(config: str, calls: list[Any], folder: Path) -> tuple[list[Any], list[Any]]:
    """The page's tools, and for each call whether it failed, and the text that came."""
    asked = folder / "calls.json"  # a picture does not fit on a command line
    asked.write_text(json.dumps(calls))
    command = [sys.executable, "-c", AGENT, config, str(asked)]
    tools, *answers = map(json.loads, run(command, folder))
    return tools, answers


@pytest.mark.parametrize("text", [BRIEF, GUIDE], ids=["page.md", "api.md"])
@pytest.mark.slow
def test_an_agent_s_configuration_works(text: str, url: str, folder: Path) -> None:
    (block,) = blocks(text, "json")
    config = at(url, block).replace("/home/me/pictures", str(folder))
    calls: list[Any] = [["miagym", "audit", {"split": "nowhere"}]]
    if "upload" in config:
        calls.append(["upload", "upload_file_to_gradio", {"file": str(folder / "drawing.png")}])
        calls.append(["miagym", "check", {"picture": "it"}])
    tools, answers = agent(config, calls, folder)
    assert {tool["name"] for tool in tools} == TOOLS
    assert answers[0][0] and "No split of this page is called 'nowhere'" in answers[0][1]
    if "upload" in config:
        failed, answer = answers[-1]
        assert not failed and json.loads(answer)["verdict"] == "member-like"


def test_agents_give_pictures_as_the_guide_says(url: str, folder: Path) -> None:
    drawing = (folder / "drawing.png").read_bytes()
    coded, large = (base64.b64encode(data).decode() for data in (drawing, drawing.ljust(10**6)))
    pictures = {
        f"data:image/png;base64,{coded}": "member-like",
        f"data:image/png;base64,{large}": "member-like",
        "data:image/png;base64,aGVsbG8=": "no readable JPEG, PNG, WebP or GIF",
        "http://127.0.0.1:9/drawing.png": "Expected an uploaded file",
        str(folder / "drawing.png"): "provide a url",
    }
    calls = [["miagym", "check", {"picture": picture}] for picture in pictures]
    _, answers = agent(at(url, blocks(BRIEF, "json")[0]), calls, folder)
    assert [failed for failed, _ in answers] == [False, False, True, True, True]
    for (_, text), expected in zip(answers, pictures.values(), strict=True):
        assert expected in text and str(ROOT) not in text


def test_agents_are_told_all_they_need(url: str, folder: Path) -> None:
    """Gradio shows the first line of each argument's entry, and nothing of docs/."""
    tools, _ = agent(at(url, blocks(BRIEF, "json")[0]), [], folder)
    described = {tool["name"]: tool["description"] for tool in tools}
    schemas = {tool["name"]: tool["inputSchema"]["properties"] for tool in tools}
    for schema in schemas.values():
        assert all(re.fullmatch(r"\w.*[.?]", about["description"]) for about in schema.values())
    names = [*QUICK_ATTACKS, *(name for name in target_names() if "@" not in name)]
    assert all(re.search(rf"\b{name}\b", described["evaluate"]) for name in names)
    assert all(name in described["audit"] for name in SPLITS)
    assert schemas["check"]["target"]["enum"] == list(TARGETS)
    assert (
        f"from {MIN_CANDIDATES} to {MAX_CANDIDATES}"
        in schemas["evaluate"]["candidates"]["description"]
    )
    assert f"from 1 to {max(BUDGETS)}" in schemas["evaluate"]["queries"]["description"]
    assert "no probability" in described["check"]
    assert all("docs/" not in text for text in described.values())


def test_the_limits_are_those_of_the_code() -> None:
    words = " ".join(GUIDE.partition("## Limits")[2].split())
    service = check_service("cpu")
    rows = [f"{service.rows(target)} (`{target}`)" for target in TARGETS]
    for said in (
        f"{ROWS_AN_HOUR:,} UNet rows an hour",
        f"takes {' or '.join(rows)}",
        f"at most {LAUNCH_OPTIONS['max_file_size'].removesuffix('mb')} MB",
        f"{MAX_PIXELS // 1_000_000} million pixels",
        f"{MAX_ROWS:,}, of at most {MAX_CAPTION:,} characters each",
        f"of which {ROWS_A_SIDE:,} a side",
        f"{MIN_CANDIDATES} to {MAX_CANDIDATES} candidates a side",
        f"a budget of 1 to {max(BUDGETS)} queries",
        f"longer than {MAX_MINUTES} minutes",
    ):
        assert said in words


def test_nothing_else_is_public(url: str) -> None:
    client = Client(url, verbose=False, analytics_enabled=False)
    public: Any = client.view_api(print_info=False, return_format="dict")
    assert set(public["named_endpoints"]) == {f"/{name}" for name in TOOLS}
    assert not public["unnamed_endpoints"]
    seen = {
        str(event["api_name"])
        for event in client.config["dependencies"]
        if event["api_visibility"] != "private"
    }
    assert seen == TOOLS
    client.close()
