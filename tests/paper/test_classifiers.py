"""Classifiers learn from calibration scores, are measured on the test part, and are kept."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from miagym.data.dataset import CALIBRATION, TEST
from miagym.errors import RunError
from miagym.metrics.auc import auc
from miagym.paper.classifiers import FOLDER, Classified, classify, names
from miagym.paper.randomisation import randomisation_figure, repetitions
from miagym.paper.scores import Scores
from miagym.paper.settings import SIGNALS, trajectory
from miagym.progress import silent
from tests.paper.conftest import ABOUT, SETTINGS, Planted

Plant = Callable[[int, float], Planted]


def found(planted: Planted, out: Path, seed: int = 0) -> dict[tuple[str, str], Classified]:
    own = classify(planted.world, planted.scores, ABOUT, out, seed, silent)
    return {(one.setting, one.row.attack.partition("(")[0]): one for one in own}


@pytest.fixture
def logistic_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the four, the quickest to fit, where what they share is tested."""
    monkeypatch.setattr("miagym.paper.classifiers.names", lambda *asked: names(*asked)[:1])


@pytest.mark.slow
def test_all_four_find_what_is_planted_and_nothing_else(planted: Plant, tmp_path: Path) -> None:
    own = planted(200, 1.0)
    by_name = found(replace(own, world=own.world.under(splits=1)), tmp_path)
    assert len(by_name) == 2 * 4
    for (setting, name), one in by_name.items():
        assert one.row.learned and one.row.held_out and one.row.n_members == 200
        if setting == SETTINGS[0]:
            assert one.row.auc_ci[0] > 0.75, name
        else:
            assert abs(one.row.auc - 0.5) < 0.09, name


@pytest.mark.usefixtures("logistic_alone")
def test_logistic_regression_is_that_of_scikit_learn(planted: Plant, tmp_path: Path) -> None:
    own = planted(150, 0.4)
    row = found(own, tmp_path)[SETTINGS[0], "trajectory-logistic"].row
    names = [trajectory(SETTINGS[0], signal, 1) for signal in SIGNALS]
    learned, labels = own.scores.features(names, CALIBRATION)
    tested, truth = own.scores.features(names, TEST)
    assert learned.shape == (300, 9)
    scaler = StandardScaler().fit(learned)
    aucs = []
    for penalty in (0.01, 0.1, 1.0, 10.0, 100.0):
        rule = LogisticRegression(C=penalty).fit(scaler.transform(learned), labels.member)
        score = rule.decision_function(scaler.transform(tested))
        aucs.append(auc(score[truth.member], score[~truth.member]))
    assert min(abs(row.auc - each) for each in aucs) < 1e-6


@pytest.mark.usefixtures("logistic_alone")
@pytest.mark.slow
def test_random_splits_resolve_one_percent_or_are_left_out(planted: Plant, tmp_path: Path) -> None:
    many = found(planted(220, 1.0), tmp_path / "many")[SETTINGS[0], "trajectory-logistic"]
    assert many.tested == 110 and many.splits is not None
    assert many.splits.mean > 0.1 and many.splits.std > 0
    few = found(planted(60, 1.0), tmp_path / "few")[SETTINGS[0], "trajectory-logistic"]
    assert few.tested == 30 and few.splits is None


@pytest.mark.usefixtures("logistic_alone")
def test_what_was_fitted_is_read_again(planted: Plant, tmp_path: Path) -> None:
    own = planted(40, 1.0)
    first = found(own, tmp_path)
    file = tmp_path / FOLDER / f"{SETTINGS[0]}.json"
    content = json.loads(file.read_text(encoding="utf-8"))
    content["found"][0]["tested"] = 12345
    file.write_text(json.dumps(content), encoding="utf-8")
    (tmp_path / FOLDER / f"{SETTINGS[1]}.json").unlink()
    again = found(own, tmp_path)
    changed = next(one for one in again.values() if one.tested == 12345)
    assert changed.setting == SETTINGS[0]
    same = {key: one.row for key, one in first.items()}
    assert {key: one.row for key, one in again.items()} == same


@pytest.mark.usefixtures("logistic_alone")
def test_another_seed_is_refused(planted: Plant, tmp_path: Path) -> None:
    own = planted(40, 1.0)
    found(own, tmp_path)
    with pytest.raises(RunError, match="choose another out="):
        found(own, tmp_path, seed=1)


def test_scores_of_different_candidates_are_refused(planted: Plant) -> None:
    own = planted(20, 0.0)
    table = own.scores.table
    name = trajectory(SETTINGS[0], "loss", 1)
    assert len(own.scores.variants(name, TEST)) == 3
    with pytest.raises(RunError, match="different candidates"):
        Scores(table.slice(1)).variants(name, CALIBRATION)
    with pytest.raises(RunError, match="has no scores"):
        own.scores.features(["carlini"], TEST)


def test_randomisation_draws_mean_and_both_ends(planted: Plant) -> None:
    own = planted(200, 1.5)
    repeated = repetitions(own.world, own.scores, 0)
    assert set(repeated) == {(setting, signal) for setting in SETTINGS for signal in SIGNALS}
    assert repeated[SETTINGS[0], "loss"].mean > 3 * repeated[SETTINGS[1], "loss"].mean
    figure = randomisation_figure(repeated)
    assert figure is not None and len(figure.data) == 3
    first, one = figure.data[0], repeated[SETTINGS[0], "loss"]
    assert first.x[0] == pytest.approx(one.mean, rel=1e-5)
    assert first.x[0] + first.error_x.array[0] == pytest.approx(one.high, rel=1e-4)
    assert first.x[0] - first.error_x.arrayminus[0] == pytest.approx(one.low, abs=1e-5)
    assert list(figure.layout.yaxis.ticktext) == list(SETTINGS)
    assert randomisation_figure({}) is None
    assert np.all([each.drawn == 100 for each in repeated.values()])
