"""Hyperparameters that make no attack, states that do not fit: a sentence each, nothing charged."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import save_file

from attacks import load_attack, make_attack
from attacks.base import Attack, LearnedAttack
from attacks.black_box.nearest import NearestGenerated
from attacks.black_box.rediffuse import ReDiffuse
from attacks.black_box.sequential import SequentialVariation
from attacks.grey_box.loss import LossThreshold
from attacks.grey_box.quantile import QuantileRegression
from attacks.grey_box.secmi import SecMI, SecMINN
from attacks.grey_box.trajectory import Trajectory
from attacks.reference import ReferenceCalibrated
from miagym.candidates import Candidates
from miagym.errors import AttackError, BudgetExhausted, DataError, TargetError
from miagym.oracle import Oracle
from miagym.oracle.access import Access
from miagym.oracle.budget import Budget, Cost
from miagym.targets.dummy import DummyTarget


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: LossThreshold(draws=0), "needs draws of 1 or more, got 0"),
        (lambda: ReDiffuse(draws=0), "needs draws of 1 or more"),
        (lambda: SecMI(50, 20), "multiple of k, got t = 50, k = 20"),
        (lambda: SecMINN(50, 20), "multiple of k"),
        (lambda: QuantileRegression(50, 20), "multiple of k"),
        (lambda: Trajectory(start=100, stop=300), "start down to stop"),
        (lambda: Trajectory(position=9), "a position among them"),
        (lambda: SequentialVariation(mean=0), "needs mean of 1 or more"),
    ],
)
def test_they_are_refused_when_made(make: Callable[[], Attack], says: str) -> None:
    with pytest.raises(AttackError, match=says):
        make()


@pytest.mark.parametrize(
    "attack",
    [LossThreshold(timestep=1000), SecMI(980, 20), Trajectory(noise_step=-300)],
    ids=repr,
)
def test_timesteps_that_the_model_does_not_have(
    attack: Attack, dummy: DummyTarget, drawings: Candidates
) -> None:
    with pytest.raises(TargetError, match="Expected a timestep from 0 to 999"):
        attack(Oracle(dummy), drawings[:2])


@pytest.mark.parametrize("name", ["pia", "rediffuse", "gsa1"])
def test_no_candidates(name: str, dummy: DummyTarget, drawings: Candidates) -> None:
    attack = make_attack(name)
    ask = getattr(attack, "features", attack)
    with pytest.raises(DataError, match="no candidates"):
        ask(Oracle(dummy), drawings[:0])


def test_candidates_with_unequal_budgets_are_not_mixed(
    dummy: DummyTarget, drawings: Candidates
) -> None:
    oracle = Oracle(dummy, Access.BLACK, budget=Budget(queries=3))
    attack = ReDiffuse(draws=2)
    attack(oracle, drawings[:1])
    spent = oracle.meter.total()
    with pytest.raises(BudgetExhausted, match="less of their budget left"):
        attack(oracle, drawings[:2])
    assert oracle.meter.total() == spent


def test_a_reference_without_a_budget_asks_as_often_as_the_target(
    dummy: DummyTarget, drawings: Candidates
) -> None:
    reference = Oracle(DummyTarget(drawings[[0, 79]]))
    oracle = Oracle(dummy, Access.BLACK, budget=Budget(queries=3), reference=reference)
    few = drawings[:2]
    scores = ReferenceCalibrated(NearestGenerated())(oracle, few)
    three = NearestGenerated(draws=3)
    expected = three(Oracle(dummy), few) - three(reference, few)
    np.testing.assert_allclose(scores, expected, rtol=1e-6)


def test_a_sequential_attack_fitted_with_a_reference_wants_one(
    dummy: DummyTarget, drawings: Candidates, member: np.ndarray
) -> None:
    attack, oracle = SequentialVariation(), Oracle(dummy, reference=Oracle(dummy))
    fitted = attack.fit(attack.features(oracle, drawings), member)
    bare = Oracle(dummy)
    with pytest.raises(
        TargetError, match="fitted with a reference model, and this oracle has none"
    ):
        fitted(bare, drawings[:2])
    assert bare.meter.total() == Cost()


@pytest.mark.parametrize("content", [b"", b"nonsense" * 9])
def test_files_that_hold_no_fitted_attack(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "attack.safetensors"
    path.write_bytes(content)
    with pytest.raises(DataError, match="cannot be read as a fitted attack"):
        load_attack(path)


def test_a_damaged_rule_is_a_sentence(
    dummy: DummyTarget, drawings: Candidates, member: np.ndarray, tmp_path: Path
) -> None:
    attack, path = make_attack("clid-vector"), tmp_path / "attack.safetensors"
    assert isinstance(attack, LearnedAttack)
    attack.fit(attack.features(Oracle(dummy), drawings), member).save(path)
    content = bytearray(path.read_bytes())
    content[-4000:] = b"x" * 4000
    path.write_bytes(content)
    with pytest.raises(DataError, match="is damaged"):
        load_attack(path)


@pytest.mark.slow
def test_a_fitted_attack_is_read_though_its_class_is_not_imported_or_has_moved(
    dummy: DummyTarget, drawings: Candidates, member: np.ndarray, tmp_path: Path
) -> None:
    attack, path = make_attack("clid-threshold"), tmp_path / "attack.safetensors"
    assert isinstance(attack, LearnedAttack)
    fitted = attack.fit(attack.features(Oracle(dummy), drawings), member)
    fitted.save(path)
    assert b"attacks:CLiDThreshold" in path.read_bytes()
    code = "import sys; from pathlib import Path; from attacks import load_attack; print("
    code += "repr(load_attack(Path(sys.argv[1]))), 'attacks.white_box.gsa' in sys.modules)"
    read = [sys.executable, "-c", code, str(path)]
    done = subprocess.run(read, capture_output=True, text=True, check=True)
    assert done.stdout == f"{fitted!r} False\n"
    with safe_open(path, framework="numpy") as file:
        metadata = {**file.metadata(), "attack": "attacks.clid:CLiDThreshold"}
        arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    save_file(arrays, path, metadata=metadata)  # as it was called before it moved
    assert load_attack(path) == fitted
    save_file(arrays, path, metadata={**metadata, "attack": "elsewhere.clid:CLiDThreshold"})
    with pytest.raises(DataError, match="CLiDThreshold, which is not imported"):
        load_attack(path)


def test_a_fitted_attack_of_another_version(
    dummy: DummyTarget, drawings: Candidates, member: np.ndarray, tmp_path: Path
) -> None:
    attack, path = make_attack("clid-vector"), tmp_path / "attack.safetensors"
    assert not isinstance(attack, LossThreshold)
    features = attack.features(Oracle(dummy), drawings)  # type: ignore[attr-defined]
    attack.fit(features, member).save(path)  # type: ignore[attr-defined]
    changed = path.read_bytes().replace(b"timesteps", b"timestaps")
    path.write_bytes(changed)
    with pytest.raises(DataError, match="another version of its attack"):
        load_attack(path)
