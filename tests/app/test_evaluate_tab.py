"""Evaluate, as a visitor meets it in a real browser, and as a program asks for it."""

from __future__ import annotations

import csv
import io
import json
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gradio_client import Client, handle_file
from playwright.sync_api import expect

from miagym.api.run_config import FOLDER
from miagym.app.evaluate import service as evaluate_service
from miagym.app.evaluate.service import (
    BASE_ROWS,
    MAX_CANDIDATES,
    QUICK_ATTACKS,
    EvaluationRequest,
)
from miagym.app.evaluate.view import view
from miagym.app.site import Site
from miagym.data.registry import EMBEDDED, load_data
from miagym.errors import MiagymError, RunError
from miagym.results import Results
from miagym.targets.registry import target_names
from tests.app.visiting import SIZES, Served, served, watch
from tests.command_line import run

pytestmark = pytest.mark.slow
"""In the quick tier, `test_whole_page` uses every tab."""

Folders = Callable[[], set[Path]]
REQUEST = EvaluationRequest("clipart-overfit", ("sima", "rediffuse"), 20)
ALLOWED = 40_000
"""Units an hour."""
LONG = 60
"""Candidates of each side about which an evaluation asks for many times as long as a check."""

PROGRAM = """
import sys
from pathlib import Path
import gradio as gr
from miagym.app.check.api import check_api
from miagym.app.evaluate.api import evaluate_api
from miagym.app.evaluate.tab import evaluate_tab
from miagym.app.site import Site
from miagym.app.server.uploads import UploadsOnly
from miagym.app.server.rate_limit import Allowance

site = Site(run=Path(sys.argv[1]), allowance=Allowance(int(sys.argv[2])))
with UploadsOnly(analytics_enabled=False) as page:
    with gr.Tabs(), gr.Tab("Evaluate"):
        evaluate_tab(site)
    evaluate_api(site)
    check_api(site)
"""


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the command line that the page shows leaves behind."""
    out = tmp_path_factory.mktemp("runs") / "mine"
    words = REQUEST.command.split()[1:-1]
    run(*words, out)
    return out


@pytest.fixture(scope="module")
def serving(finished: Path) -> Iterator[Served]:
    """The tab and the endpoint, and that of checks, which do not wait for evaluations."""
    with served(PROGRAM, finished, str(ALLOWED)) as page:
        yield page


@pytest.fixture(scope="module")
def address(serving: Served) -> str:
    return serving.address


@pytest.fixture
def folders(serving: Served) -> Folders:
    """Gives the folders of runs that are at work."""
    return lambda: set(serving.temporary.glob(f"{FOLDER}*"))


@pytest.fixture
def visit(browser: Any, address: str) -> Iterator[Any]:
    """Opens the page; whatever the console or the network says against it fails the test."""
    against: list[str] = []
    opened_pages: list[Any] = []

    def open_page(size: str = "desktop", theme: str = "light") -> Any:
        page = browser.new_page(viewport=SIZES[size], accept_downloads=True)
        watch(page, address, against)
        page.goto(f"{address}?__theme={theme}")
        page.locator("#evaluate-roc .js-plotly-plot .scatterlayer").wait_for()
        opened_pages.append(page)
        return page

    yield open_page
    for page in opened_pages:
        page.close()
    assert against == []


def without_seconds(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{key: value for key, value in row.items() if key != "seconds"} for row in rows]


def choose(page: Any, attacks: tuple[str, ...], candidates: int) -> None:
    """Fills in the form."""
    for name in QUICK_ATTACKS:
        box = page.locator("#evaluate-attacks").get_by_label(name, exact=True)
        if box.count():
            box.set_checked(name in attacks)
    number = page.locator("#evaluate-candidates input[type=number]")
    number.fill(str(candidates))
    number.press("Tab")


def status(page: Any, text: str) -> None:
    expect(page.locator("#evaluate-status")).to_contain_text(re.compile(text))


def start(page: Any) -> None:
    """Run, until it is at work or waits for the work before."""
    page.locator("#evaluate-run").click()
    status(page, "calibration|waiting")
    expect(page.locator("#evaluate-run")).to_be_disabled()


def stop(page: Any) -> None:
    page.locator("#evaluate-stop").click()
    status(page, "Stopped")


def all_gone(folders: Folders, seconds: float = 40) -> bool:
    """Whether all runs at work end, within a time."""
    deadline = time.monotonic() + seconds
    while folders() and time.monotonic() < deadline:
        time.sleep(0.1)
    return not folders()


@pytest.mark.parametrize(("size", "theme"), [("desktop", "light"), ("phone", "dark")])
def test_the_page_opens_with_a_finished_run(visit: Any, shots: Path, size: str, theme: str) -> None:
    page = visit(size, theme)
    assert page.locator("#evaluate-table tr.row:visible").count() == 3
    page.locator("#evaluate-table summary").click()
    table = page.locator("#evaluate-table").inner_text()
    for name in ("blind-captions", "blind-pixels", "blind-both", "sima", "rediffuse"):
        assert name in table
    assert "above blind" in table and "not resolvable" in table
    assert "[" in page.locator("#evaluate-finding").inner_text()
    assert page.locator("#evaluate-roc .scatterlayer path.js-fill").count() >= 2  # bands
    page.locator("#evaluate-more button").first.click()
    page.locator("#evaluate-budgets .js-plotly-plot").wait_for()
    assert "miagym evaluate" in page.locator("#evaluate-command").inner_text()
    assert page.evaluate("document.documentElement.scrollWidth") <= SIZES[size]["width"]
    page.screenshot(path=shots / f"evaluate-{size}-{theme}.png", full_page=True)


@pytest.mark.slow
def test_stop_stops_and_the_next_run_is_as_on_the_command_line(
    visit: Any, finished: Path, folders: Folders
) -> None:
    page = visit()
    choose(page, ("sima",), MAX_CANDIDATES)
    page.locator("#evaluate-run").click()
    status(page, "calibration")
    assert folders()
    stop(page)
    # The page is free at once; what is at work ends within a chunk, and takes its folder with it.
    choose(page, ("sima",), 20)
    page.locator("#evaluate-run").click()
    status(page, "Done")
    assert all_gone(folders)
    with page.expect_download() as download:
        page.get_by_text("Download results.json").click()
    ours = json.loads(Path(download.value.path()).read_text(encoding="utf-8"))
    with page.expect_download() as download:
        page.get_by_text("Download results.csv").click()
    text = Path(download.value.path()).read_text(encoding="utf-8")
    lines = list(csv.DictReader(io.StringIO(text)))
    theirs = json.loads((finished / "results.json").read_text(encoding="utf-8"))
    by_name = {row["attack"]: row for row in without_seconds(theirs["rows"])}
    page.locator("#evaluate-table summary").click()
    table = page.locator("#evaluate-table").inner_text()
    of_line = {line["attack"]: line for line in lines}
    for row in without_seconds(ours["rows"]):
        assert row == by_name[row["attack"]]
        line = of_line.pop(row["attack"])
        numbers = [float(line[key]) for key in ("auc", "auc_low", "auc_high")]
        assert numbers == [row["auc"], *row["auc_ci"]]
        assert row["attack"] in table and f"{row['auc']:.3f}" in table
    assert of_line == {}
    assert "--attacks sima --limit 20" in page.locator("#evaluate-command").inner_text()


@pytest.mark.slow
def test_no_click_on_run_is_lost_however_soon_after_stop(visit: Any, folders: Folders) -> None:
    page = visit()
    choose(page, ("loss", "pia", "secmi", "sima"), MAX_CANDIDATES)  # too many to be done before
    expect(page.locator("#evaluate-stop")).to_be_disabled()
    for _ in range(5):
        start(page)
        stop(page)
    assert all_gone(folders)
    expect(page.locator("#evaluate-run")).to_be_enabled()
    expect(page.locator("#evaluate-stop")).to_be_disabled()


@pytest.mark.slow
def test_who_waits_for_somebody_else_s_run_sees_it_and_can_stop(visit: Any) -> None:
    one, other = visit(), visit()
    choose(one, ("sima", "loss"), MAX_CANDIDATES)
    choose(other, ("sima",), 20)
    start(one)
    other.locator("#evaluate-run").click()
    status(other, "waiting for 1 other run")
    stop(other)
    expect(one.locator("#evaluate-run")).to_be_disabled()  # that run goes on
    stop(one)
    other.locator("#evaluate-run").click()
    status(other, "Done")


@pytest.mark.slow
def test_a_closed_tab_stops_its_run(browser: Any, address: str, folders: Folders) -> None:
    page = browser.new_page()
    page.goto(address)
    choose(page, ("sima",), MAX_CANDIDATES)
    page.locator("#evaluate-run").click()
    status(page, "calibration")
    assert folders()
    page.close()
    assert all_gone(folders)


@pytest.mark.slow
def test_a_check_does_not_wait_for_an_evaluation(
    address: str, folders: Folders, tmp_path: Path
) -> None:
    client = Client(address, verbose=False)
    picture = tmp_path / "drawing.webp"
    picture.write_bytes(bytes(load_data("clipart-tune").pictures[0]))
    check = ("cat, animal", "clipart-overfit")
    alone = client.predict(handle_file(picture), *check, api_name="/check")
    running = client.submit("clipart-overfit", ["sima", "loss"], LONG, api_name="/evaluate")
    while not folders():
        time.sleep(0.05)
    beside = client.predict(handle_file(picture), *check, api_name="/check")
    assert not running.done()
    assert beside | {"picture": ""} == alone | {"picture": ""}
    assert {row["attack"] for row in running.result()["rows"]} >= {"sima", "loss"}


@pytest.mark.slow
def test_the_price_is_told_before_and_asked_too_much_is_a_sentence(
    visit: Any, serving: Served
) -> None:
    serving.do(f'site.allowance.give_back("127.0.0.1", {ALLOWED})')  # what other tests have taken
    page = visit()
    price = page.locator("#evaluate-price")
    choose(page, ("sima",), 20)
    rows = EvaluationRequest("clipart-overfit", ("sima",), 20).rows
    price.get_by_text(f"{round(100 * rows / ALLOWED)} % of an hour's budget").wait_for()
    expect(price.locator("meter")).to_have_attribute("value", "100")
    serving.do(f'site.allowance.take("127.0.0.1", {ALLOWED // 2})')
    page.get_by_label("white box").check()
    page.locator("#evaluate-attacks").get_by_label("gradient-masking").wait_for()
    choose(page, QUICK_ATTACKS, MAX_CANDIDATES)
    price.get_by_text("minutes").wait_for()
    left = int(price.locator("meter").get_attribute("value"))
    assert 50 <= left < 60  # it fills up again, by a percent in 36 seconds
    assert f"{left} % of your budget left" in price.inner_text().replace("\xa0", " ")
    page.locator("#evaluate-run").click()
    status(page, "ask for less")
    status(page, "units")
    assert page.locator(".toast-body").count() == 0
    choose(page, (), 20)
    price.get_by_text("at least one attack").wait_for()


@pytest.mark.slow
def test_the_api_gives_what_the_command_line_writes(address: str, finished: Path) -> None:
    client = Client(address, verbose=False)
    found = client.predict("clipart-overfit", ["sima"], 20, api_name="/evaluate")
    written = json.loads((finished / "results.json").read_text(encoding="utf-8"))
    assert written["audit"] == found["audit"]
    for section in ("rows", "controls", "protocols"):
        # An attack's numbers do not depend on what ran beside it.
        theirs = [row for row in written[section] if row["attack"] != "rediffuse"]
        assert without_seconds(found[section]) == without_seconds(theirs)
    assert found["command"] == EvaluationRequest("clipart-overfit", ("sima",), 20).command
    names = {name for name in client.view_api(return_format="dict")["named_endpoints"]}
    assert names == {"/evaluate", "/check"}  # whatever else the page does is private


@pytest.mark.parametrize(
    ("target", "attacks", "candidates", "queries"),
    [
        ("/etc", ["sima"], 20, 0),
        ("someone/model", ["sima"], 20, 0),
        (["clipart-overfit"], ["sima"], 20, 0),
        ("clipart-overfit", ["mofit"], 20, 0),
        ("clipart-overfit", [], 20, 0),
        ("clipart-overfit", "sima", 20, 0),
        ("clipart-overfit", [["sima"]], 20, 0),
        ("clipart-overfit", ["sima", "sima"], 20, 0),
        ("clipart-overfit", ["sima"], 100_000, 0),
        ("clipart-overfit", ["sima"], "20", 0),
        ("clipart-overfit", ["sima"], 20, 10**9),
        ("clipart-overfit", ["sima"], True, 0),
        ("clipart-overfit", list(QUICK_ATTACKS) * 3, MAX_CANDIDATES, 16),
    ],
)
def test_the_api_refuses_in_a_sentence(
    address: str, folders: Folders, target: Any, attacks: Any, candidates: Any, queries: Any
) -> None:
    client = Client(address, verbose=False)
    with pytest.raises(Exception, match=r"[A-Z].*[.;?]") as refused:
        client.predict(target, attacks, candidates, queries, api_name="/evaluate")
    assert "Traceback" not in str(refused.value) and "/tmp" not in str(refused.value)
    assert not folders()


def test_no_run_costs_more_than_it_was_said_to(finished: Path) -> None:
    results = json.loads((finished / "results.json").read_text(encoding="utf-8"))
    charged = results["run"]["rows_charged"]
    assert charged <= REQUEST.rows - BASE_ROWS <= 1.5 * charged


def test_a_run_reports_every_phase_that_it_is_charged_for() -> None:
    """Else a run that is stopped would pay for none of it."""
    request, reported = EvaluationRequest("clipart-overfit", ("sima",), 20), set()

    def progress(label: str, steps: int) -> Callable[[], None]:
        reported.add(label)
        return lambda: None

    evaluate_service.run(request, progress)
    assert reported >= set(request.bill()._phases)


def test_names_without_end_are_refused_at_once() -> None:
    start = time.process_time()
    with pytest.raises(MiagymError, match="each attack once, at most 10, got 150,000"):
        EvaluationRequest("clipart-overfit", ("loss",) * 150_000, 20)
    assert time.process_time() - start < 0.5


def test_every_offer_can_be_asked_for() -> None:
    offered = set()
    for target in target_names():
        asked = EvaluationRequest(target, QUICK_ATTACKS, MAX_CANDIDATES, 16)
        assert asked.pairing.data in EMBEDDED and asked.rows > 0
        offered.add(asked.pairing.data)
    for name in offered:
        data = load_data(name)
        sides = [
            ((data.part == p) & (data.member == m)).sum() for p in set(data.part) for m in (0, 1)
        ]
        assert min(sides) >= MAX_CANDIDATES


def test_a_page_without_a_run_says_so(tmp_path: Path) -> None:
    shown = view(None)
    assert "No run yet" in shown.finding and not shown.table
    assert len(shown.roc.data) == 2  # type: ignore[arg-type]  # guessing, and 1 %
    with pytest.raises(RunError, match="no finished run"):
        Site(run=tmp_path).opened  # noqa: B018


def test_nothing_from_outside_becomes_html(finished: Path) -> None:
    found = Site(run=finished).opened
    assert found is not None
    bad = "<img src=x onerror=alert(1)>"
    results = found.results.as_json()
    for row in results["rows"]:
        row["target"] = row["data"] = row["chosen"] = bad
    shown = view(replace(found, results=Results.model_validate(results)))
    for text in (
        shown.finding,
        shown.table,
        json.dumps(shown.roc.to_dict(), default=np.ndarray.tolist),
    ):
        assert "<img" not in text
    assert bad in next(csv.DictReader(io.StringIO(view_csv(shown))))["target"]


def view_csv(shown: Any) -> str:
    import base64

    return base64.b64decode(shown.downloads.split("text/csv;base64,")[1].split('"')[0]).decode()


def test_a_bad_request_is_one_of_ours() -> None:
    with pytest.raises(MiagymError, match="candidates"):
        EvaluationRequest("clipart-overfit", ("sima",), MAX_CANDIDATES + 1)
