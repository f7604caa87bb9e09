"""Is the split fair, as a visitor asks it in a real browser, and as a program does."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2 as httpx
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from gradio_client import Client

from miagym.app.audit.service import SPLITS, UPLOAD, audit_table, sent_table, uploaded_table
from miagym.app.audit.view import audit_view
from miagym.app.server.sandboxed_table import MAX_CAPTION, MAX_ROWS, read_table
from miagym.data.registry import open_source
from miagym.errors import DataError
from miagym.results import SCHEMA
from tests.app.visiting import SIZES, served, watch
from tests.command_line import run

pytestmark = pytest.mark.slow
"""In the quick tier, `test_whole_page` uses every tab."""

XSS = "<img src=x onerror=alert(1)>"

PROGRAM = """
import sys
from pathlib import Path
import gradio as gr
from miagym.app.audit.api import audit_api
from miagym.app.audit.tab import audit_tab
from miagym.app.site import Site
from miagym.app.server.uploads import UploadsOnly
from miagym.app.server.rate_limit import Allowance

site = Site(run=Path(sys.argv[1]), allowance=Allowance(1_000))
with UploadsOnly(analytics_enabled=False) as page:
    with gr.Tabs(), gr.Tab("Is the split fair?"):
        audit_tab(site)
    audit_api(site)
"""


@pytest.fixture(scope="module")
def table() -> dict[str, list[Any]]:
    """Captions of the embedded art; those of members have a mark that an attacker would like."""
    source = open_source("clipart-tune")
    rows = np.concatenate([np.flatnonzero(source.member == m)[:120] for m in (True, False)])
    member = [bool(source.member[row]) for row in rows]
    marks = [f" {XSS}" if one else "" for one in member]
    return {
        "caption": [source.captions[r] + m for r, m in zip(rows, marks, strict=True)],
        "member": member,
    }


@pytest.fixture(scope="module")
def csv_file(table: dict[str, list[Any]], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tables") / "a<b>stranger.csv"
    lines = ["caption,member"]
    for caption, member in zip(table["caption"], table["member"], strict=True):
        quoted = caption.replace('"', '""')
        lines.append(f'"{quoted}",{str(member).lower()}')
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def told(csv_file: Path) -> dict[str, Any]:
    """The audit of that table."""
    return audit_table(uploaded_table(csv_file)).as_json()


@pytest.fixture(scope="module")
def address(told: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A page that opens with the audit of a run."""
    folder = tmp_path_factory.mktemp("run")
    run: dict[str, Any] = {"config": {}, "rows_charged": 0, "rows_computed": 0}
    audits = [{**told, "data": f"the run's {XSS}"}]
    results = {"schema": SCHEMA, "run": run, "rows": [], "audit": audits}
    (folder / "results.json").write_text(json.dumps(results), encoding="utf-8")
    about = {"command": "miagym demo", "config": {"seed": 0}}
    (folder / "run.json").write_text(json.dumps(about), encoding="utf-8")
    with served(PROGRAM, folder) as page:
        yield page.address


@pytest.fixture
def visit(browser: Any, address: str) -> Iterator[Callable[..., Any]]:
    """Opens the page; whatever the console or the network says against it fails the test."""
    against: list[str] = []
    pages: list[Any] = []

    def open_page(size: str = "desktop", theme: str = "light") -> Any:
        page = browser.new_page(viewport=SIZES[size])
        watch(page, address, against)
        page.on("dialog", lambda dialog: against.append(dialog.message))
        page.goto(f"{address}?__theme={theme}")
        page.locator("#audit-figure .js-plotly-plot").wait_for()
        pages.append(page)
        return page

    yield open_page
    for page in pages:
        page.close()
    assert against == []


def audited(page: Any) -> None:
    page.locator("#audit-run").click()
    page.locator("#audit-status").get_by_text("Done").wait_for()


@pytest.mark.parametrize(("size", "theme"), [("desktop", "dark"), ("phone", "light")])
def test_the_page_opens_with_the_audit_of_the_run(
    visit: Callable[..., Any], shots: Path, size: str, theme: str
) -> None:
    page = visit(size, theme)
    assert "shifted" in page.locator("#audit-verdict").inner_text()
    page.locator("#audit-numbers summary").click()
    numbers = page.locator("#audit-numbers").inner_text()
    assert "captions" in numbers and "[" in numbers and "Most telling cues" in numbers
    assert page.evaluate("document.documentElement.scrollWidth") <= SIZES[size]["width"]
    page.screenshot(path=shots / f"audit-{size}-{theme}.png", full_page=True)


def test_a_table_of_the_visitor(
    visit: Callable[..., Any], csv_file: Path, told: dict[str, Any]
) -> None:
    page = visit()
    page.locator("#audit-file input[type=file]").set_input_files(csv_file)
    page.locator("#audit-split").get_by_label("My own table").and_(
        page.locator(":checked")
    ).wait_for()
    audited(page)
    verdict = page.locator("#audit-verdict").inner_text()
    assert verdict.startswith(f"{UPLOAD}: shifted") and told["why"] in verdict
    page.locator("#audit-numbers summary").click()
    numbers = page.locator("#audit-numbers").inner_text()
    assert "120 members and 120 non-members" in numbers and "100.0 %" in numbers
    assert f"{told['blind'][0]['auc']:.3f}" in numbers
    assert page.locator("#audit-numbers img").count() == 0


def test_a_split_that_is_shifted_on_purpose_stopped_and_begun_again(
    visit: Callable[..., Any],
) -> None:
    page = visit()
    page.get_by_label("without punctuation").check()
    page.locator("#audit-run").click()
    page.locator("#audit-stop").click()
    page.locator("#audit-status").get_by_text("Stopped").wait_for()
    assert "the run's" in page.locator("#audit-verdict").inner_text()  # as before
    audited(page)
    assert "shifted" in page.locator("#audit-verdict").inner_text()
    assert "contains" in str(page.locator("#audit-numbers").text_content())


def test_what_cannot_be_audited_is_a_sentence_and_the_page_goes_on(
    visit: Callable[..., Any], tmp_path: Path, csv_file: Path
) -> None:
    page = visit()
    page.get_by_label("My own table").check()
    page.locator("#audit-run").click()
    page.locator("#audit-status").get_by_text("Expected an uploaded file").wait_for()
    bad = tmp_path / "bad.csv"
    bad.write_text(f"caption,member\na,{XSS}\n", encoding="utf-8")
    page.locator("#audit-file input[type=file]").set_input_files(bad)
    page.get_by_text("bad.csv").or_(page.get_by_text("bad")).first.wait_for()
    page.locator("#audit-run").click()
    page.locator("#audit-status").get_by_text("must be true or false").wait_for()
    assert page.locator(".toast-body img").count() == 0


def test_the_api_says_what_the_command_line_says(
    address: str, table: dict[str, Any], csv_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    client = Client(address, verbose=False)
    found = client.predict("", table["caption"], table["member"], api_name="/audit")
    run("audit", csv_file, "--json")
    printed = json.loads(capsys.readouterr().out)
    assert found | {"data": ""} == printed | {"data": ""}
    assert set(client.view_api(return_format="dict")["named_endpoints"]) == {"/audit"}
    with pytest.raises(Exception, match="units") as refused:  # the allowance of this page
        many = [f"a cat {i}" for i in range(1_200)]
        client.predict("", many, [i % 2 == 0 for i in range(1_200)], api_name="/audit")
    assert "Traceback" not in str(refused.value)


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["/etc/passwd"], "No split"),
        (["<b> & co"], "<b> & co"),  # programs show no HTML
        ([["clipart"]], "No split"),
        (["", None, None], "list of texts, or instead a split: clipart, "),
        (["", ["a"], [1]], "true and false"),
        (["", ["a", "b"], [True]], "2 captions and 1"),
        (["", [1, 2], [True, False]], "list of texts"),
        (["", ["a", "b"], [True, True]], "only members"),
        (["", ["", ""], [True, False]], "empty"),
        (["", ["x" * (MAX_CAPTION + 1), "b"], [True, False]], "characters"),
        (["", ["a"] * (MAX_ROWS + 1), [True] * (MAX_ROWS + 1)], "rows"),
    ],
)
def test_the_api_refuses_in_a_sentence(address: str, arguments: list[Any], why: str) -> None:
    with pytest.raises(Exception, match=why):
        Client(address, verbose=False).predict(*arguments, api_name="/audit")


def test_half_a_character_is_refused() -> None:
    with pytest.raises(DataError, match="Caption 1 is no Unicode text"):
        sent_table(["a cat", "\ud83d"], [True, False])


def test_no_file_of_the_server_is_read(address: str) -> None:
    page = httpx.get(f"{address}config").json()
    audit = next(
        d for d in page["dependencies"] if len(d["inputs"]) == 2 and len(d["outputs"]) == 7
    )
    for payload in (
        {"path": "/etc/passwd", "meta": {"_type": "gradio.FileData"}},
        {"path": "/etc/passwd"},
        {"url": "http://127.0.0.1:1/a.csv", "path": "http://127.0.0.1:1/a.csv"},
        "/etc/passwd",
    ):
        body = {"data": ["mine", payload], "fn_index": audit["id"], "session_hash": "s"}
        httpx.post(f"{address}gradio_api/queue/join", json=body)
        with httpx.stream("GET", f"{address}gradio_api/queue/data?session_hash=s") as stream:
            said = "".join(stream.iter_text())
        assert '"success":false' in said.replace(" ", "") and "root:" not in said


@pytest.mark.slow
def test_a_hostile_table_is_a_sentence(tmp_path: Path) -> None:
    one = pa.array(["a" * 1_000_000])
    bomb = pa.DictionaryArray.from_arrays(pa.array(np.zeros(20_000, dtype=np.int32)), one)
    tables = {
        "many rows": pa.table({"caption": ["a"] * 300_000, "member": [True] * 300_000}),
        "one column": pa.table({"caption": ["a", "b"]}),
        "lists": pa.table({"caption": [["a"], ["b"]], "member": [True, False]}),
        "a dictionary that unfolds": pa.table({"caption": bomb, "member": [True, False] * 10_000}),
        "much in one cell": pa.table({"caption": ["a" * (2 * 10**8)], "member": [True]}),
    }
    for name, content in tables.items():
        pq.write_table(content, tmp_path / name, compression="zstd")
    texts = {
        "nothing": b"",
        "commas": b"," * 1_900_000,
        "no text": b"caption,member\ncaf\xe9,1\n",
        "a picture": b"\x89PNG\r\n\x1a\n" + bytes(range(256)),
        "no parquet": b"PAR1" + bytes(1_000) + b"PAR1",
        "ragged": b"caption,member\na\nb,0,5\n",
        "too large": b"caption,member\n" + b"abcdefgh,1\n" * 200_000,
        "a long caption": b"caption,member\n" + b"x" * 1_500_000 + b",1\nb,0\n",
        "a quote that never ends": b'caption,member\n"' + b"x,1\n" * 1_000,
    }
    for name, content in texts.items():
        (tmp_path / name).write_bytes(content)
    for path in tmp_path.iterdir():
        with pytest.raises(DataError) as refused:
            read_table(path)
        text = str(refused.value)
        assert text[0].isupper() and text[-1] in ".;" and str(tmp_path) not in text, path.name


def test_only_captions_and_labels_are_read(tmp_path: Path) -> None:
    path = tmp_path / "with pictures"
    path.write_text("caption,member,image\na cat,1,/etc/passwd\na dog,no,x.png\n", encoding="utf-8")
    read = read_table(path)
    assert read.to_pydict() == {"caption": ["a cat", "a dog"], "member": [True, False]}
    pq.write_table(pa.table({**read.to_pydict(), "image": [{"bytes": b"x"}] * 2}), path)
    assert read_table(path).column_names == ["caption", "member"]


def test_every_embedded_split_can_be_opened() -> None:
    for name, opened in SPLITS.items():
        subject = opened()
        assert min(subject.member.sum(), (~subject.member).sum()) > 400, name


def test_a_page_without_an_audit_says_so() -> None:
    shown = audit_view([])
    assert "No audit yet" in shown.verdict and not shown.numbers
