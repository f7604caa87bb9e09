"""Pictures of the next chunk are decoded while this one is scored, and none of those after it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from miagym.data.ahead import loading_ahead
from miagym.data.dataset import Loaded
from miagym.errors import DataError
from miagym.evaluation import workers
from miagym.evaluation.chunk import Chunk
from miagym.evaluation.experiment import Experiment
from tests.evaluation.work import evaluated

CHUNKS = list("abcd")
SECONDS = 60


class Pictures:
    """Notes which chunks are loaded; each is its own pictures."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.ended = {chunk: Event() for chunk in CHUNKS}

    def load(self, chunk: str) -> Any:
        self.begun.append(chunk)
        self.ended[chunk].set()
        return chunk

    def wait_for(self, name: str) -> None:
        assert self.ended[name].wait(SECONDS)


def test_it_is_one_chunk_ahead_and_loads_each_once() -> None:
    pictures = Pictures()
    with loading_ahead(pictures.load, CHUNKS, lambda chunk: True) as ahead:
        for chunk, following in zip(CHUNKS, [*CHUNKS[1:], None], strict=True):
            assert ahead.load(chunk) == chunk
            if following is not None:
                pictures.wait_for(following)
                assert len(pictures.begun) == CHUNKS.index(following) + 1
    assert sorted(pictures.begun) == list("abcd")


def test_what_others_have_done_is_passed_over() -> None:
    pictures = Pictures()
    with loading_ahead(pictures.load, CHUNKS, lambda chunk: chunk in "ad") as ahead:
        ahead.load(CHUNKS[0])
        pictures.wait_for("d")
        ahead.load(CHUNKS[3])
    assert pictures.begun.count("d") == 1 and set(pictures.begun) == {"a", "d"}


def test_workers_side_by_side_get_their_own() -> None:
    pictures = Pictures()
    with (
        loading_ahead(pictures.load, CHUNKS, lambda chunk: True) as ahead,
        ThreadPoolExecutor(3) as pool,
    ):
        assert list(pool.map(ahead.load, CHUNKS)) == list("abcd")


def test_a_fault_is_raised_where_the_pictures_are_wanted() -> None:
    def load(chunk: str) -> Loaded:
        if chunk == "b":
            raise DataError("the shelf is empty")
        return chunk  # type: ignore[return-value]

    with loading_ahead(load, CHUNKS, lambda chunk: True) as ahead:
        ahead.load(CHUNKS[0])
        with pytest.raises(DataError, match="the shelf is empty"):
            ahead.load(CHUNKS[1])


@pytest.mark.usefixtures("small_forests")
def test_a_run_decodes_while_it_scores(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scored, load = workers.score_chunk, Experiment.load
    second = Event()
    seen: list[str] = []

    def noted(self: Experiment, chunk: Chunk) -> Loaded:
        found = load(self, chunk)
        seen.append(chunk.name)
        if len(seen) == 2:
            second.set()
        return found

    def waits(*given: Any) -> Any:
        assert second.wait(SECONDS), "nothing was decoded beside the first chunk"
        return scored(*given)

    monkeypatch.setattr(Experiment, "load", noted)
    monkeypatch.setattr(workers, "score_chunk", waits)
    assert evaluated(tmp_path / "run", limit=4, chunk=2)["sima"].auc
    assert len(seen) == len(set(seen))
