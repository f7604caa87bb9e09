"""Attacks as people write them, read once and for all who read them."""

from __future__ import annotations

import pytest

from attacks import attack_names, describe_attack, make_attack
from attacks.base import LearnedAttack
from miagym.api.names import attacks_of
from miagym.errors import MiagymError


def test_parameters_patterns_and_plain_names_stand_side_by_side() -> None:
    found = attacks_of("pia(timestep=50), trajectory-*,loss , pia(timestep=50, norm=2)")
    assert list(found)[:2] == ["pia(timestep=50)", "trajectory-partial-denoising"]
    assert {"loss", "trajectory-shift", "pia(timestep=50, norm=2)"} < set(found)
    assert repr(found["pia(timestep=50)"]) == "PIA(timestep=50, norm=4.0)"
    assert len(attacks_of("trajectory-*")) == sum(n.startswith("trajectory-") for n in found)


def test_what_is_named_is_not_chosen_anew() -> None:
    """Of PIA's three timesteps only the named one is left; of its norms there was but one."""
    assert len(make_attack("pia").variants()) == 3
    assert [repr(v) for v in make_attack("pia(timestep=50)").variants()] == [
        "PIA(timestep=50, norm=4.0)"
    ]
    assert len(make_attack("pia(norm=2.0)").variants()) == 3
    pinned = make_attack("pia(timestep=50)+reference")
    assert [repr(v) for v in pinned.variants()] == [
        "ReferenceCalibrated(attack=PIA(timestep=50, norm=4.0))"
    ]
    assert make_attack("rediffuse(strength=0.5)").within(4).cost.queries <= 4


def test_modifiers_have_parameters_and_are_applied_from_left_to_right() -> None:
    name = "pia(timestep=50)+turned(by=('90', 'mirror'), ratio=True)+reference"
    assert repr(make_attack(name)) == (
        "ReferenceCalibrated(attack=Turned(attack=PIA(timestep=50, norm=4.0), "
        "by=('90', 'mirror'), ratio=True))"
    )
    assert list(attacks_of(f"{name}, loss+turned")) == [name, "loss+turned"]
    assert describe_attack("pia+turned(by=('90', 'mirror'))")["cost"]["unet_rows"] == 6


@pytest.mark.parametrize("name", attack_names())
def test_a_repr_is_read_again(name: str) -> None:
    attack = make_attack(name)
    if not isinstance(attack, LearnedAttack):
        assert repr(make_attack(repr(attack))) == repr(attack)


def test_one_setting_under_two_names_is_one_row() -> None:
    assert list(attacks_of("pia, pia(timestep=200), PIA(timestep=200, norm=4.0)")) == ["pia"]
    assert list(attacks_of("loss(draws=3)")) == ["loss(draws=3)"]


def test_facts_are_those_of_the_attack() -> None:
    assert describe_attack("multiple-loss(timesteps=(1, 2))")["cost"]["unet_rows"] == 2
    assert describe_attack("pia(timestep=50)")["summary"] == describe_attack("pia")["summary"]


WRONG = {
    "pia(timstep=50)": "pia has no parameter 'timstep'; it takes timestep=200, norm=4.0.",
    "pia(timestep='a')": "timestep='a' is of the wrong kind .*; it takes timestep=200, norm=4.0.",
    "loss(timestep=True)": "timestep=True is of the wrong kind",
    "pia(timestep=50": "Brackets or quotes do not match",
    "pia)": "Brackets or quotes do not match",
    "pia(50)": "expected names and plain values, texts in quotes, as in",
    "sd-mia(encoder=no/such)": "texts in quotes",
    "pia(timestep=open('x'))": "expected names and plain values",
    "nothing-*": r"No attack's name matches 'nothing-\*'; `miagym attacks` lists them\.",
    "piaa(timestep=50)": "No attack is called 'piaa",
    "secmi(timestep=55)": "secmi: Expected t to be a multiple of k|Expected t to be a multiple",
    "cdi+reference": "learns its rule",
    "loss+turnde": "No modifier is called 'turnde'; did you mean turned",
    "loss+turned(by=('45',))": "by=.* is of the wrong kind",
    "loss+turned(by=())": "Expected some of the symmetries 90, 180, .* got none",
    "blind-captions+turned": "learns its rule",
    "blind-captions(rule=None)": "has no parameter 'rule'",
}


@pytest.mark.parametrize("text", WRONG)
def test_what_cannot_be_read_is_one_sentence(text: str) -> None:
    with pytest.raises(MiagymError, match=WRONG[text]) as refused:
        attacks_of(text)
    assert "\n" not in str(refused.value)


def test_the_advice_in_the_errors_works() -> None:
    assert list(attacks_of("pia(timestep=50),trajectory-*"))
    assert repr(make_attack("pia(timestep=50, norm=2.0)")) == "PIA(timestep=50, norm=2.0)"
    assert make_attack("sd-mia(encoder='patches')") == make_attack("sd-mia")
