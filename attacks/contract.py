"""What holds for every attack, whosever it is: for the tests of whoever writes one.

Third parties call `check_contract` and `check_refusal` in tests of their own; with
`pytest.register_assert_rewrite("attacks.contract")` a failure shows the values.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from attacks.base import Attack, LearnedAttack
from attacks.learning.saved import load_attack
from miagym.oracle import (
    Access,
    AccessDenied,
    Candidates,
    Cost,
    MiagymError,
    NotFitted,
    Oracle,
    check_cost,
    check_repr,
)


def fitted(attack: Attack, oracle: Oracle, drawings: Candidates, member: np.ndarray) -> Attack:
    """The attack, fitted if it has to be: on the middle half, where both sides meet."""
    if isinstance(attack, LearnedAttack):
        some = slice(len(member) // 4, 3 * len(member) // 4)
        return attack.fit(attack.features(oracle, drawings[some]), member[some])
    return attack


def check_contract(
    attack: Attack,
    target: Any,
    reference: Any,
    drawings: Candidates,
    member: np.ndarray,
    tmp_path: Path,
) -> None:
    """Shapes, finite, seeded, independent of batch and order, charged as declared, saved whole.

    Args:
        attack: not fitted yet.
        target: the `Target` that is attacked; `miagym.load_target` gives one.
        reference: the public model, for attacks that use one.
        drawings: 40 members, then 40 non-members.
        member: their labels.
        tmp_path: where a fitted attack is saved.
    """

    def oracle(**options: Any) -> Oracle:
        return Oracle(target, attack.access, reference=Oracle(reference), **options)

    bare = attack
    attack = fitted(attack, oracle(), drawings, member)
    few = drawings[30:50]
    asked = oracle()
    scores = attack(asked, few)
    assert scores.shape == (20,) and scores.dtype == np.float64 and np.isfinite(scores).all()
    close: dict[str, Any] = {"rtol": 1e-4, "atol": 1e-5}
    np.testing.assert_array_equal(attack(oracle(), few), scores)
    np.testing.assert_allclose(attack(oracle(batch_size=3), few), scores, **close)
    order = np.random.default_rng(0).permutation(20)
    np.testing.assert_allclose(attack(oracle(), few[order]), scores[order], **close)
    for key in few.keys:
        check_cost(attack.cost, asked.meter.spent(key), attack.adaptive, repr(attack))
    check_repr(attack)
    curve = attack.anytime(oracle(), few)
    np.testing.assert_allclose(list(curve.values())[-1], scores, **close)
    assert list(curve) == sorted(curve)
    if isinstance(attack, LearnedAttack):
        attack.save(tmp_path / "attack.safetensors")
        again = load_attack(tmp_path / "attack.safetensors")
        assert again == attack
        np.testing.assert_allclose(again(oracle(), few), scores, **close)
        _check_refuses(lambda: bare(oracle(), few), NotFitted)
    else:
        assert eval(repr(attack), names_in_repr(attack)) == attack
    assert all(type(variant) is type(bare) for variant in bare.variants())
    assert len(bare.variants()) == 1 or not isinstance(bare, LearnedAttack)


def check_refusal(attack: Attack, target: Any, drawings: Candidates, member: np.ndarray) -> None:
    """Below its access the attack is refused, and nothing is charged."""
    public = Oracle(target)
    attack = fitted(attack, Oracle(target, reference=public), drawings, member)
    oracle = Oracle(target, Access(attack.access - 1), reference=public)
    _check_refuses(lambda: attack(oracle, drawings[:2]), AccessDenied)
    spent = oracle.meter.total()
    assert spent == Cost() or attack.access == Access.WHITE  # grey questions come first there


def _check_refuses(call: Callable[[], object], error: type[MiagymError]) -> None:
    try:
        call()
    except error:
        return
    raise AssertionError(f"Expected {error.__name__}, and nothing was raised.")


def names_in_repr(attack: Attack) -> dict[str, object]:
    """What the repr of an attack may name: everything in its module and in ours."""
    modules = [m for name, m in list(sys.modules.items()) if name.startswith("attacks.")]
    own = sys.modules[type(attack).__module__]
    return {name: value for module in (*modules, own) for name, value in vars(module).items()}
