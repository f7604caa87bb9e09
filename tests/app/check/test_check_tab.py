"""The check tab as a visitor uses it, in a real browser, and `/check` as a program does."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr
import numpy as np
import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from PIL import Image
from playwright.sync_api import expect

from miagym.app.check.examples import (
    BORDERLINE,
    FOLDER,
    KINDS,
    LABELS,
    MEMBER,
    NONMEMBER,
    ROWS,
    examples,
    write_examples,
)
from miagym.app.check.figures import verdict_figure
from miagym.app.check.handlers import Handlers
from miagym.app.check.marks import marks_of
from miagym.app.check.opening import opening, write_opening
from miagym.app.check.service import TARGETS, CheckService, RankScale
from miagym.app.server.body_limit import MAX_PICTURES
from miagym.app.server.rate_limit import Allowance
from miagym.app.site import Site
from miagym.checking.answer import Verdict
from miagym.checking.cache import SHIPPED, cache_folder
from miagym.checking.words import set_sentences
from miagym.data.dataset import TEST
from miagym.data.registry import load_data
from tests.app.visiting import SIZES, check_answer, served, watch
from tests.checking.test_upload import blank_png
from tests.command_line import run

pytestmark = pytest.mark.slow
"""In the quick tier, `test_whole_page` uses every tab."""

OVERFIT, REALISTIC = TARGETS[:2]
SHOTS = Path(__file__).parents[3] / "build" / "screenshots"
"""Kept by CI; ignored by git."""

PROGRAM = """
import gradio as gr
from miagym.app.check.api import check_api
from miagym.app.check.tab import check_tab
from miagym.app.site import Site
from miagym.app.server.uploads import UploadsOnly

site = Site()
with UploadsOnly(title="miagym", analytics_enabled=False) as page:
    with gr.Tab("Check an image"):
        check_tab(site)
    check_api(site)
"""


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder for calibrations, with none but those of the package."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield cache_folder()


@pytest.fixture(scope="module")
def address(cache: Path) -> Iterator[str]:
    """The tab and the endpoint."""
    with served(PROGRAM) as page:
        yield page.address


@pytest.fixture(scope="module")
def service(cache: Path) -> CheckService:
    return CheckService(folder=cache)


@pytest.fixture(scope="module")
def client(address: str) -> Iterator[Client]:
    client = Client(address, verbose=False, analytics_enabled=False)
    yield client
    client.close()


class Visitor:
    """A browser window, which has noted what went wrong."""

    def __init__(self, browser: Any, address: str, size: str, theme: str = "light") -> None:
        self.window = browser.new_page(viewport=SIZES[size])
        self.wrong: list[str] = []
        watch(self.window, address, self.wrong)
        self.window.goto(f"{address}?__theme={theme}")
        self.window.wait_for_selector("#check-figure .js-plotly-plot .barlayer")

    def drop(self, file: Path) -> None:
        self.window.set_input_files("#check-picture input[type=file]", str(file))

    def upload(self, file: Path) -> str:
        """What is said of a picture that is dropped."""
        return check_answer(self.window, lambda: self.drop(file))

    def press(self, name: str) -> str:
        """What is said when a button is pressed."""
        button = self.window.get_by_role("button", name=name, exact=name not in LABELS.values())
        return check_answer(self.window, button.click)

    def leave(self) -> None:
        self.window.close()
        assert not self.wrong


Visit = Callable[..., Visitor]


@pytest.fixture
def visit(browser: Any, address: str) -> Iterator[Visit]:
    visitors: list[Visitor] = []

    def come(size: str = "desktop", theme: str = "light") -> Visitor:
        visitors.append(Visitor(browser, address, size, theme))
        return visitors[-1]

    yield come
    for visitor in visitors:
        visitor.leave()


@pytest.fixture
def picture(service: CheckService, tmp_path: Path) -> Path:
    """A non-member of the test part, as a PNG file."""
    file = tmp_path / "drawing.png"
    Image.open(examples(OVERFIT)[NONMEMBER].file).convert("RGB").save(file)
    return file


def test_the_package_brings_the_calibrations(service: CheckService, cache: Path) -> None:
    """If this fails: version, targets, data or attacks changed; run `CheckService().warm(...)`, and
    move what is new in `cache_folder()` to miagym/assets/calibration."""
    for target in TARGETS:
        service.warm(target)
    assert not cache.exists() and len(list(SHIPPED.iterdir())) == 4


def assert_near(made: Any, kept: Any, place: str) -> None:
    """Equal but for last digits of numbers, which each processor rounds in its own way."""
    if isinstance(kept, dict):
        assert list(made) == list(kept), place
        for name, value in kept.items():
            assert_near(made[name], value, f"{place}: {name}")
    elif isinstance(kept, list):
        assert len(made) == len(kept), place
        for i, (ours, theirs) in enumerate(zip(made, kept, strict=True)):
            assert_near(ours, theirs, f"{place}: {i}")
    elif isinstance(kept, float):
        assert made == pytest.approx(kept, rel=1e-4), place
    else:
        assert made == kept, place


def test_the_package_brings_the_examples_and_the_first_answer(
    service: CheckService, tmp_path: Path
) -> None:
    """If this fails: call `write_examples` and `write_opening`, which write to the package."""
    write_examples(service, tmp_path)
    write_opening(service, OVERFIT, tmp_path)
    for file in tmp_path.iterdir():
        kept = FOLDER / file.name
        if file.suffix == ".json":
            assert_near(json.loads(file.read_bytes()), json.loads(kept.read_bytes()), file.name)
        else:
            assert file.read_bytes() == kept.read_bytes(), file.name
    found = opening(service.offers)
    assert found is not None and found.found.verdict is Verdict.MEMBER_LIKE


PUT = """
([bytes, name, type, place]) => {
  const data = new DataTransfer();
  data.items.add(new File([Uint8Array.from(bytes)], name, { type }));
  const event = place
    ? new DragEvent("drop", { dataTransfer: data, bubbles: true })
    : new ClipboardEvent("paste", { clipboardData: data, bubbles: true });
  (place ? document.querySelector(place) : document).dispatchEvent(event);
}
"""


def test_a_picture_is_checked_when_it_is_pasted_or_dropped_on_another(visit: Visit) -> None:
    visitor = visit()
    said = visitor.window.locator("#check-verdict:has([role=status])")
    known = examples(OVERFIT)
    for kind, place, word in (
        (MEMBER, "", "The truth: this one was used"),
        (NONMEMBER, "#check-picture img", "The truth: this one was not used"),
    ):
        file = known[kind].file
        given = [list(file.read_bytes()), file.name, "image/webp", place]
        visitor.window.evaluate(PUT, given)
        expect(said).to_contain_text(word)
        caption = visitor.window.locator("#check-caption textarea")
        expect(caption).to_have_value("")  # that of the one before is none of its
        if kind == MEMBER:
            caption.fill("cat, animal")
            assert "used" in visitor.press("Check")


@pytest.mark.parametrize(
    ("size", "theme"), [("desktop", "light"), ("phone", "light"), ("desktop", "dark")]
)
def test_an_upload_gets_a_verdict(size: str, theme: str, visit: Visit, picture: Path) -> None:
    visitor = visit(size, theme)
    assert "answered beforehand" in visitor.window.inner_text("#check-verdict")
    visitor.upload(picture)
    visitor.window.fill("#check-caption textarea", "cat, animal")
    verdict = visitor.press("Check")
    assert verdict.startswith("Cannot tell") and "p-value" in verdict
    visitor.window.click("#check-details summary")
    assert "read as PNG, 64×64" in visitor.window.inner_text("#check-details")
    assert "What this does not say" in visitor.window.inner_text("#check-details")
    assert "your picture" in visitor.window.inner_text("#check-figure")
    assert visitor.window.evaluate("document.documentElement.scrollWidth") <= SIZES[size]["width"]
    SHOTS.mkdir(parents=True, exist_ok=True)
    visitor.window.screenshot(path=SHOTS / f"check-{size}-{theme}.png", full_page=True)


@pytest.mark.slow
def test_examples_fill_the_form_and_answer(visit: Visit) -> None:
    visitor = visit()
    assert visitor.press(LABELS[MEMBER]).startswith("Looks used")
    assert "The truth: this one was used" in visitor.window.inner_text("#check-verdict")
    assert visitor.window.input_value("#check-caption textarea")
    assert visitor.press(LABELS[NONMEMBER]).startswith("Cannot tell")
    assert "was not used" in visitor.window.inner_text("#check-verdict .truth")
    assert visitor.press(LABELS[BORDERLINE]).startswith("Cannot tell")
    visitor.window.get_by_label("clipart-realistic").check()
    visitor.window.wait_for_selector("#check-verdict :text('No picture yet')")
    assert visitor.press(LABELS[MEMBER]).startswith("Cannot tell")


def test_several_pictures_are_a_set(visit: Visit, service: CheckService, tmp_path: Path) -> None:
    data = load_data(service.offer(OVERFIT).data_name)
    rows = np.flatnonzero(data.member & (data.part == TEST))[:4]
    files = [tmp_path / f"<img src=x onerror=alert(1)>{row}.webp" for row in rows]
    for row, file in zip(rows, files, strict=True):
        file.write_bytes(bytes(data.pictures[row]))
    (tmp_path / "text.png").write_text("no picture")
    visitor = visit()
    visitor.window.get_by_role("tab", name="Several").click()
    visitor.window.set_input_files(
        "#check-files input[type=file]", [*map(str, files), str(tmp_path / "text.png")]
    )
    visitor.window.wait_for_selector("#check-files tr >> nth=4")
    assert visitor.press("Check the set").startswith("The set looks used")
    visitor.window.click("#check-details summary")
    details = visitor.window.inner_text("#check-details")
    assert "<img" in details and "text.png is no readable" in details
    assert not visitor.window.query_selector("#check-details img")


def test_bad_input_is_a_sentence_and_the_page_goes_on(visit: Visit, tmp_path: Path) -> None:
    visitor = visit()
    assert "Drop a picture first" in visitor.press("Check")
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)
    Image.fromarray(noise).save(tmp_path / "noise.png")
    assert visitor.upload(tmp_path / "noise.png").startswith("Not judged")
    visitor.window.fill("#check-caption textarea", "a\u0007\u202e cat " * 2000)
    verdict = visitor.press("Check")
    assert verdict.startswith("Not judged") and "p-value\n" not in verdict
    visitor.window.click("#check-details summary")
    assert "control characters" in visitor.window.inner_text("#check-details")


def test_a_press_while_a_drop_is_being_answered_is_answered_too(
    visit: Visit, picture: Path
) -> None:
    """The answer that stays is about all of the form."""
    visitor = visit()
    window = visitor.window

    def drop_and_press() -> None:
        visitor.drop(picture)
        window.wait_for_selector("#check-picture img[src*='/file=']")
        window.fill("#check-caption textarea", "cat,\u0007 animal")
        window.get_by_role("button", name="Check", exact=True).click()

    assert check_answer(window, drop_and_press).startswith("Cannot tell")
    expect(window.locator("#check-details")).to_contain_text("control characters")
    assert "your picture" in window.inner_text("#check-figure")


def test_the_form_is_kept_in_the_address(visit: Visit, browser: Any, address: str) -> None:
    window = visit().window
    window.get_by_label(REALISTIC).check()
    window.fill("#check-caption textarea", "cat & <b>, animal")
    window.locator("#check-caption textarea").blur()
    window.wait_for_url("**caption=cat*")
    handed_on = browser.new_page()
    handed_on.goto(window.url)
    expect(handed_on.get_by_label(REALISTIC)).to_be_checked()
    expect(handed_on.locator("#check-caption textarea")).to_have_value("cat & <b>, animal")
    expect(handed_on.locator("#check-verdict")).to_contain_text("No picture yet")
    handed_on.goto(f"{address}?tab=check&check-model=../../secret")
    handed_on.wait_for_selector("#check-figure .js-plotly-plot .barlayer")
    expect(handed_on.get_by_label(OVERFIT)).to_be_checked()
    handed_on.close()


def test_a_verdict_stands_beside_what_it_is_about(visit: Visit, picture: Path) -> None:
    """Whatever is changed in the form takes the answer away, also one that is still to come."""
    visitor = visit()
    window = visitor.window
    gone = "#check-verdict :text('No picture yet')"

    def answered() -> None:
        assert visitor.press("Check").startswith("Cannot tell")
        assert "your picture" in window.inner_text("#check-figure")

    visitor.upload(picture)
    window.fill("#check-caption textarea", "cat, animal")
    answered()
    for change in (
        lambda: window.fill("#check-caption textarea", "dog, animal"),
        lambda: window.get_by_role("tab", name="Several").click(),
        lambda: window.get_by_label("clipart-realistic").check(),
    ):
        change()
        window.wait_for_selector(gone)
        window.wait_for_function(
            "!document.querySelector('#check-figure').textContent.includes('your picture')"
        )
        assert not window.inner_text("#check-details").strip()
        window.get_by_role("tab", name="One picture").click()
        window.get_by_label("clipart-overfit").check()
        answered()
    window.click("#check-picture button[title='Remove Image']")
    window.wait_for_selector(gone)
    expect(window.locator("#check-caption textarea")).to_have_value("")
    assert "Drop a picture first" in visitor.press("Check")
    assert window.locator(".toast-body").count() == 0


def test_an_unreadable_file_is_said_where_the_verdict_stands(
    visit: Visit, picture: Path, tmp_path: Path
) -> None:
    visitor = visit()
    visitor.press(LABELS[MEMBER])
    bad = tmp_path / "text.png"
    bad.write_text("no picture")
    visitor.window.click("#check-picture button[title='Remove Image']")
    for said in (visitor.upload(bad), visitor.press("Check")):
        assert said.startswith("Not checked") and "text.png" not in said and "picture" in said
    assert "your picture" not in visitor.window.inner_text("#check-figure")


def test_marks_stand_on_one_scale_and_it_is_said_which(
    service: CheckService, tmp_path: Path
) -> None:
    data = load_data(service.offer(OVERFIT).data_name)
    rows = np.flatnonzero(data.member & (data.part == TEST))[:4]
    given = {}
    for number, row in enumerate(rows):
        given[f"{number}.webp"] = tmp_path / f"{number}.webp"
        given[f"{number}.webp"].write_bytes(bytes(data.pictures[row]))
        if number:  # one has no caption
            given[f"{number}.txt"] = tmp_path / f"{number}.txt"
            given[f"{number}.txt"].write_text(data.captions[row])
    marks = marks_of(service.check_set(given, OVERFIT))
    assert marks.captioned and len(marks.scores) == 3 and marks.elsewhere == 1
    assert "marks the 3 that were asked about with their captions; 1 without" in str(
        marks.why_not_all
    )


def test_one_picture_many_times_is_no_set_and_that_is_the_reason(
    service: CheckService, picture: Path
) -> None:
    found = service.check_set({f"{i}.png": picture for i in range(7)}, OVERFIT)
    assert found.together is not None
    said = set_sentences(found.together)[0]
    assert "all 7 pictures are the same one" in said and "resemble" not in said


def test_the_endpoint_answers_as_the_command_line(
    client: Client, picture: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for caption in ("cat, animal", ""):
        found = client.predict(handle_file(picture), caption, OVERFIT, api_name="/check")
        capsys.readouterr()
        run("check", picture, "--target", OVERFIT, "--caption", caption, "--json")
        printed = json.loads(capsys.readouterr().out)
        assert found | {"picture": str(picture)} == printed


def test_the_endpoint_has_defaults_and_refuses_other_targets(client: Client, picture: Path) -> None:
    found = client.predict(handle_file(picture), api_name="/check")
    assert found["target"] == OVERFIT and not found["calibration"]["captioned"]
    for target in ("clipart-null", "/etc", "CompVis/stable-diffusion-v1-4"):
        with pytest.raises(AppError, match="Expected the inputs that"):
            client.predict(handle_file(picture), "", target, api_name="/check")
    long = client.predict(handle_file(picture), "x\0" * 5000, OVERFIT, api_name="/check")
    assert "caption cut to 1,000 characters" in long["done_to_picture"]


def test_the_endpoint_refuses_hostile_files(client: Client, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(blank_png(12000, 12000))
    with pytest.raises(AppError, match="at most 25 million"):
        client.predict(handle_file(tmp_path / "a.png"), "", OVERFIT, api_name="/check")


def test_only_the_endpoint_is_public(client: Client) -> None:
    assert list(client.view_api(return_format="dict")["named_endpoints"]) == ["/check"]


def test_an_allowance_ends_before_anything_is_computed(picture: Path) -> None:
    handlers = Handlers(Site(allowance=Allowance(19)))
    request = gr.Request(headers={}, client=SimpleNamespace(host="1.2.3.4"), session_hash="a")
    verdict, *_ = handlers.check_one(str(picture), "", False, OVERFIT, 1, request)["shown"]
    assert "Not checked" in verdict and "takes 20 units, and 19 of your 19" in verdict


@pytest.mark.parametrize("target", TARGETS)
def test_examples_are_what_they_are_called(target: str, service: CheckService) -> None:
    found = examples(target)
    assert tuple(found) == KINDS
    assert found[MEMBER].member and not found[NONMEMBER].member
    data = load_data(service.offer(target).data_name)
    assert {data.part[row] for row in ROWS[target].values()} == {TEST}
    edge = service.check(found[BORDERLINE].file, found[BORDERLINE].caption, target)
    p = edge.answers[0].p_value
    assert edge.verdict is Verdict.CANNOT_TELL and p and 0.01 < p < 0.05


def test_too_many_or_too_few_pictures(service: CheckService, picture: Path) -> None:
    with pytest.raises(Exception, match=f"at most {MAX_PICTURES} pictures"):
        service.check_set({f"{i}.png": picture for i in range(MAX_PICTURES + 1)}, OVERFIT)
    with pytest.raises(Exception, match="at least 2"):
        service.check_set({"a.png": picture}, OVERFIT)


def test_texts_beside_pictures_are_captions(
    service: CheckService, picture: Path, tmp_path: Path
) -> None:
    (tmp_path / "a.txt").write_text("cat, animal")
    given = {"a.png": picture, "b.png": picture, "a.txt": tmp_path / "a.txt"}
    found = service.check_set(given, OVERFIT)
    assert [answer.captioned for answer in found.answers] == [True, False]
    assert found.together is not None
    assert found.together.repeated == 1 and not found.together.captioned


def test_the_line_is_where_the_rule_begins() -> None:
    nonmembers = np.arange(100.0)
    scale = RankScale(np.arange(50.0, 150.0), nonmembers, 0.01)
    assert scale.threshold == 99.0  # p = 1/101 above it, 2/101 on it
    assert RankScale(nonmembers, np.arange(50.0), 0.01).threshold is None
    figure = verdict_figure(scale, [("<b>me</b>", 1e6)])
    assert "&lt;b&gt;me" in str(figure.data[2])  # pyright: ignore[reportIndexIssue]
