"""All of it on a small folder in the shape of SD 1.x, and links served from this machine."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from miagym.api.run import Run
from miagym.errors import MiagymError
from miagym.metrics.resampling.repetitions import Repetitions
from miagym.paper.cost import shared_cost
from miagym.paper.document.known import DASH
from miagym.paper.document.page import write_page
from miagym.paper.document.tables import classifier_table, headline_table, settings_table
from miagym.paper.outcome import PaperOutcome
from miagym.paper.run import PAGE, paper_bill, run_paper
from miagym.paper.stages import CHECKPOINTS, LARGE, TUNED
from miagym.paper.worlds import STABLE_DIFFUSION, PaperWorld
from miagym.report.model import Table
from miagym.results.formats import estimate
from tests.data.test_fetch import Server, good, table
from tests.paper.test_worlds import tune

pytestmark = [pytest.mark.slow, pytest.mark.long]

SETTINGS = ("partial-denoising", "reversed-noise")


@pytest.fixture(scope="module")
def world(pipelines: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> PaperWorld:
    folder = tmp_path_factory.mktemp("tune")
    return STABLE_DIFFUSION.under(
        target=str(pipelines["epsilon"]),
        tune_data=tune(folder, 36),
        settings=SETTINGS,
        allow_private=True,
        draws=2,
        limit=16,
        tune_limit=16,
        choose_on=16,
        generation_steps=2,
        splits=2,
        trees=(10,),
        steps_between=2,
        steps_trained=4,
        batch_size=8,
    )


@pytest.fixture(scope="module")
def made(
    world: PaperWorld, tmp_path_factory: pytest.TempPathFactory, small_forests: None
) -> Iterator[tuple[PaperOutcome, Path, list[str]]]:
    """The outcome, its folder, and what was told; the print is a test of its own."""
    out, told = tmp_path_factory.mktemp("paper"), []
    with Server() as running, pytest.MonkeyPatch.context() as patch:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        patch.setattr("miagym.report.pdf.find_browser", lambda: None)
        own = world.under(links=table(out.parent / "links.csv", good(running, 80)))
        said = paper_bill(own, out)
        yield run_paper(own, out, said=said, command="miagym paper", tell=told.append), out, told
        running.shutdown()


def cells(found: Table, name: str) -> list[list[str]]:
    """The cells of all lines of a name."""
    lines = [line for group in found.groups for line in group.lines if line.name == name]
    return [[str(cell) for cell in line.cells] for line in lines]


def test_every_stage_is_a_run_of_its_own(made: tuple[PaperOutcome, Path, list[str]]) -> None:
    outcome, out, told = made
    assert [Run.open(out / name).rows for name in outcome.runs] == [
        run.rows for run in outcome.runs.values()
    ]
    targets = {name: [row.target for row in run.rows] for name, run in outcome.runs.items()}
    assert set(targets[LARGE]) == {outcome.world.target}
    assert set(targets[TUNED]) == {str(out / "tuned")}
    assert set(targets[CHECKPOINTS]) == {
        str(out / "tuned@0"), str(out / "tuned@1"), str(out / "tuned")
    }  # fmt: skip
    assert all(any(row.blind for row in run.rows) for run in outcome.runs.values())
    config = outcome.large.results.run.config
    assert config["posterior"] == "sample" and config["paper"] is True
    assert any("needs Chrome or Chromium" in sentence for sentence in told)


def test_no_more_is_computed_than_was_said(made: tuple[PaperOutcome, Path, list[str]]) -> None:
    outcome, *_ = made
    loads = {load.name: load.cost for load in outcome.bill.loads}
    for name, run in outcome.runs.items():
        assert 0.5 * loads[name].unet_rows < run.results.run.rows_computed
        assert run.results.run.rows_computed <= loads[name].unet_rows
    assert loads["fine-tuning"].unet_rows == 3 * 36 * 2
    black_box = [row for row in outcome.large.rows if row.attack.startswith("text-to-image")]
    assert black_box[0].unet_rows == shared_cost([black_box[0].attack]).unet_rows == 8


def test_the_table_of_settings(made: tuple[PaperOutcome, Path, list[str]]) -> None:
    """By signal, held out beside optimistic; dashes where the paper's number is not known."""
    outcome, *_ = made
    found = settings_table(outcome.large, outcome.world)
    labels = [group.label for group in found.groups]
    assert [label.partition(":")[0] for label in labels] == [
        "Model loss", "Latent error", "Pixel error", "From the caption alone", "Blind"
    ]  # fmt: skip
    lines = cells(found, "reversed-noise")
    assert len(lines) == 3
    for line, signal in zip(lines, ("loss", "latent", "pixel"), strict=True):
        row = outcome.large[f"trajectory-reversed-noise(signal='{signal}', draws=2)"]
        assert line[0] == estimate(row.auc, row.auc_ci)
        assert line[2] in ("100", "200", "300") and line[4] in ("100", "200", "300")
    paper = [column.name for column in found.columns].index("Paper") - 1
    assert {str(line.cells[paper]) for group in found.groups for line in group.lines} == {DASH}
    assert len(cells(found, "carlini: baseline loss")) == 1
    assert sum(line.is_blind for group in found.groups for line in group.lines) == 3
    assert "OPTIMISTIC" in found.columns[4].note


def test_the_two_numbers_that_are_known(made: tuple[PaperOutcome, Path, list[str]]) -> None:
    outcome, *_ = made
    found = headline_table(outcome.large)
    assert cells(found, "the best attack at its best timestep")[0][0] == "2.5 %"
    assert cells(found, "a classifier of captions alone")[0][0] == "8.9 %"
    assert cells(found, "guessing")[0][:3] == ["1 %", "1 %", "1 %"]


def test_classifiers_of_every_setting_stand_beside_blind_rows(
    made: tuple[PaperOutcome, Path, list[str]],
) -> None:
    outcome, *_ = made
    found = classifier_table(outcome.classified, outcome.large)
    assert [group.label for group in found.groups][:2] == list(SETTINGS)
    assert [len(group.lines) for group in found.groups] == [4, 4, 3]
    assert len(cells(found, "forest")) == 2


def test_the_page_shows_all_and_loads_nothing(made: tuple[PaperOutcome, Path, list[str]]) -> None:
    outcome, out, _ = made
    page = (out / PAGE).read_text(encoding="utf-8")
    body = page[page.index("<body>") :]
    assert not re.search(r'(?:src|href)="(?!data:)', body)
    for name in ("teaser", "checkpoints", "budget"):
        assert f'id="{name}"' in body
    assert body.count('<img src="data:image/png;base64,') == 16
    for words in ("too few non-members to resolve", "OPTIMISTIC", "UNet rows were", DASH):
        assert words in body, words
    assert "blind-captions" in body and "tuned@1" in body
    again = write_page(outcome, out / "again.html").read_text(encoding="utf-8")
    assert again == page


def test_the_same_call_reads_what_is_finished(
    made: tuple[PaperOutcome, Path, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """No picture is fetched, no step trained, no question asked, no classifier fitted again."""
    outcome, out, _ = made

    def refused(*_: object, **__: object) -> None:
        raise AssertionError("it was done already")

    monkeypatch.setattr("miagym.paper.setup.fetch_pictures", refused)
    monkeypatch.setattr("miagym.training.fine_tune._train", refused)
    monkeypatch.setattr("miagym.evaluation.run._score", refused)
    monkeypatch.setattr("miagym.paper.classifiers._on_setting", refused)
    monkeypatch.setattr("miagym.report.pdf.find_browser", lambda: None)
    told: list[str] = []
    again = run_paper(outcome.world, out, said=outcome.bill, command="c", tell=told.append)
    assert sum("holds this very run, finished" in sentence for sentence in told) == 3
    assert again.large.rows == outcome.large.rows
    assert [one.row for one in again.classified] == [one.row for one in outcome.classified]


def test_other_sizes_are_refused_in_the_same_folder(
    made: tuple[PaperOutcome, Path, list[str]],
) -> None:
    outcome, out, _ = made
    with pytest.raises(MiagymError, match="holds another run"):
        run_paper(outcome.world.under(limit=15), out, said=outcome.bill)


def test_hostile_captions_are_text(
    made: tuple[PaperOutcome, Path, list[str]], tmp_path: Path
) -> None:
    outcome, *_ = made
    hostile = replace(outcome, command="<script>alert(1)</script>")
    page = write_page(hostile, tmp_path / "page.html").read_text(encoding="utf-8")
    assert "<script>alert(1)" not in page and "&lt;script&gt;alert(1)" in page


def test_json_of_classifiers_holds_numbers(made: tuple[PaperOutcome, Path, list[str]]) -> None:
    _, out, _ = made
    content = json.loads((out / "classifiers" / f"{SETTINGS[0]}.json").read_text(encoding="utf-8"))
    assert {type(one["row"]["auc"]) for one in content["found"]} == {float}


def test_without_a_fine_tuned_model_the_page_says_so(
    made: tuple[PaperOutcome, Path, list[str]], tmp_path: Path
) -> None:
    outcome, *_ = made
    places = replace(outcome.places, tuned=(), tune_data=None)
    alone = replace(outcome, runs={LARGE: outcome.large}, places=places)
    page = write_page(alone, tmp_path / "page.html").read_text(encoding="utf-8")
    assert page.count("Not drawn: this world has no fine-tuned model.") == 2
    assert "left out, as no data to fine-tune on were named" in page
    assert 'id="teaser"' not in page and 'id="checkpoints"' not in page


def test_repetitions_that_resolve_one_percent_are_drawn(
    made: tuple[PaperOutcome, Path, list[str]], tmp_path: Path
) -> None:
    outcome, *_ = made
    one = Repetitions("a variant", drawn=100, mean=0.02, std=0.01, low=0.0, high=0.05)
    drawn = replace(outcome, repeated={(SETTINGS[0], "loss"): one})
    page = write_page(drawn, tmp_path / "page.html").read_text(encoding="utf-8")
    assert 'id="randomisation"' in page
    assert "draws of 100 members and 100 non-members; the paper draws 1,000" in page
