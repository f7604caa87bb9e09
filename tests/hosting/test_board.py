"""The leaderboard: intervals, a row that never asks, and ranks of those who can be told apart."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import numpy as np
import pytest
from fastapi.testclient import TestClient

from miagym.data.dataset import TEST
from miagym.errors import HostError
from miagym.hosting import board as hosted_board
from miagym.hosting.board import CLOSED, Boards, Standing, board, rank_groups
from miagym.hosting.dealing.labels import Labels
from miagym.hosting.host import Host
from miagym.hosting.records.keys import BLIND
from miagym.hosting.records.ledger import Ledger
from miagym.hosting.records.submissions import Desk
from miagym.hosting.server import make_app
from miagym.hosting.suite import FINAL, own_task
from tests.command_line import run
from tests.hosting.serving import TASK

CODABENCH = ("--url", "http://host", "--start", "2026-12-01", "--final", "2027-01-15")
LARGE = dataclasses.replace(TASK, candidates=16, slots=4, hands=16, submissions_a_day=(9, 1))


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    with Ledger(tmp_path_factory.mktemp("board") / "host.sqlite") as ledger:
        ledger.fact("secret", "5a" * 32)  # else one deal in twenty is lucky for who never asks
        yield Host([LARGE], ledger)


def submit(host: Host, player: str, skill: float, seed: int) -> None:
    """Scores that know the truth to some extent."""
    data, rng = host.deck("small").deal.data, np.random.default_rng(seed)
    rows = np.flatnonzero(data.part == TEST)
    truth = dict(zip(data.candidates(rows, 64).keys, data.member[rows], strict=True))
    lines = ["ids,score"]
    for name, key in host.table(player, "small").keys().items():
        lines.append(f"{name},{1 / (1 + np.exp(-skill * (truth[key] - 0.5) - rng.normal()))}")
    host.submit(player, "small", "\n".join(lines))


def test_nobody_waits_for_a_board_that_is_measured(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Readers need no key: if they waited, they would keep every thread from the players."""
    boards, begun, go_on = Boards(host), Event(), Event()

    def measured(*_: object) -> list[Standing]:
        begun.set()
        assert go_on.wait(30)
        return []

    monkeypatch.setattr(hosted_board, "board", measured)
    for newest, meanwhile in ((1, None), (2, [])):
        monkeypatch.setattr(Desk, "newest", lambda _, newest=newest: newest)
        begun.clear()
        go_on.clear()
        with ThreadPoolExecutor() as pool:
            first = pool.submit(boards.rows, "small")
            assert begun.wait(30)
            if meanwhile is None:
                with pytest.raises(HostError, match="ask again soon"):
                    boards.rows("small")
            else:
                assert boards.rows("small") == meanwhile, "what was shown before"
            go_on.set()
            assert first.result() == [] == boards.rows("small")


def test_the_board_of_the_final_phase_is_closed_until_it_is_opened(tmp_path: Path) -> None:
    with Ledger(tmp_path / "final.sqlite") as ledger:
        final = Host([TASK], ledger, FINAL)
        for is_open, status in ((False, 403), (True, 200)):
            client = TestClient(make_app(final, open_board=is_open))
            found = client.get("/leaderboard/small")
            assert found.status_code == status
            if not is_open:
                assert found.json() == {"error": CLOSED}
        assert [row.player for row in board(final, "small")] == [BLIND], "the host's own command"


@pytest.mark.slow
def test_standings_have_intervals_and_a_row_that_asks_nothing(host: Host) -> None:
    for player, skill in (("good", 6), ("fair", 1.5), ("other", 1.5), ("none", 0)):
        submit(host, player, skill, seed=len(player))
    submit(host, "none", 0, seed=9)
    rows = {one.player: one for one in board(host, "small")}
    assert set(rows) == {"good", "fair", "other", "none", BLIND}
    assert [name for name, one in rows.items() if one.is_blind] == [BLIND]
    assert rows[BLIND].spent == 0 and rows[BLIND].auc_ci[0] < 0.5 < rows[BLIND].auc_ci[1]
    assert rows["good"].rank == 1 < rows["fair"].rank == rows["other"].rank
    assert rows["fair"].rank <= rows[BLIND].rank <= rows["none"].rank
    assert rows["none"].submissions == 2 and rows["good"].submissions == 1
    for one in rows.values():
        assert one.auc_ci[0] <= one.auc <= one.auc_ci[1]
        assert one.tpr is not None and one.tpr_ci is not None
        assert one.tpr_ci[0] <= one.tpr <= one.tpr_ci[1]
    assert rows["good"].brier_reward is not None and rows["good"].brier_reward > 0.5
    assert json.loads(json.dumps([one.as_row() for one in rows.values()]))


def test_who_is_not_told_apart_shares_a_rank() -> None:
    """Of twenty players who know nothing, all stand together in nearly every contest."""
    member = np.arange(200) < 100
    labels = Labels(tuple(map(str, range(200))), member, None)
    parted = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        scores = {str(i): rng.normal(size=200) for i in range(8)}
        parted += len(set(rank_groups(scores, labels).values())) > 1
    assert parted <= 3
    scores = {"a": member + rng.normal(size=200) / 9, "b": rng.normal(size=200)}
    assert rank_groups(scores, labels) == {"a": 1, "b": 2}
    assert rank_groups({"a": scores["a"]}, labels) == {"a": 1}


@pytest.mark.parametrize(
    "arguments",
    [("board", "null-60"), ("revoke", "ada"), ("codabench", "--task", "null-60", *CODABENCH)],
    ids=lambda given: given[0],
)
def test_a_ledger_that_is_not_there_is_not_made_to_be_read(
    arguments: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each new one has another deal, so that the board of a typing error looks like a board."""
    run("host", *arguments, "--db", tmp_path / "typo.sqlite", code=2)
    said = " ".join(capsys.readouterr().err.split())
    assert "there is no file" in said and "--db" in said
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_the_command_line_adds_players_and_prints_the_board(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def said(*arguments: str, code: int = 0) -> str:
        run("host", *arguments, "--db", tmp_path / "host.sqlite", code=code)
        return capsys.readouterr().out

    assert said("add", "ada", "bob").startswith("ada: ")
    said("add", "ada", code=2)
    assert "opens nothing" in said("revoke", "ada")
    shown = said("board", "null-60")
    assert "blind (asks nothing)" in shown and "not told apart" in shown
    (row,) = json.loads(said("board", "null-60", "--json"))
    assert row["is_blind"] and row["rank"] == 1
    with Ledger(tmp_path / "host.sqlite") as ledger:  # as `miagym host --target` serves it
        Host(
            [own_task(["clipart-overfit"], "clipart-tune", None, ["text-to-image"], 60, 4)], ledger
        )
    assert "blind (asks nothing)" in said("board", "own")
    said("board", "nothing", code=2)
    said("board", "null-60", "--tasks", "white-2026", code=2)
