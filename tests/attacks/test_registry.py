"""The registry: strings until an attack is asked for, facts from a catalogue that is up to date."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import EntryPoint

import pytest

import attacks
from attacks import attack_names, blind_names, describe_attack, make_attack
from attacks.catalogue import catalogue
from attacks.modifiers import REFERENCE
from attacks.registry import BUILT_IN, CATALOGUE
from miagym.api.names import attacks_of
from miagym.errors import AttackError, UnknownName
from miagym.oracle import Access


def fresh(code: str) -> str:
    """What this code prints in a process of its own."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout


def test_the_catalogue_says_what_the_attacks_say() -> None:
    assert CATALOGUE.read_text(encoding="utf-8") == catalogue(), (
        "attacks/catalogue.json is not what the classes and their dry runs say; "
        "write it anew with `python -m attacks.catalogue`."
    )


LISTING = """
import resource, sys
{}
heavy = {{"torch", "sklearn", "scipy", "diffusers", "transformers"}} & sys.modules.keys()
used = resource.getrusage(resource.RUSAGE_SELF)
print("\\n", *heavy, used.ru_utime + used.ru_stime)
"""
COMMAND = """
sys.argv = ["miagym", "attacks", "--json"]
from miagym.cli import main
try:
    main()
except SystemExit:
    pass
"""
NAMES = "import attacks; attacks.attack_names(with_reference=True); attacks.blind_names()"


@pytest.mark.parametrize("code", ["import attacks", NAMES, COMMAND])
def test_listing_imports_no_attack(code: str) -> None:
    *heavy, seconds = fresh(LISTING.format(code)).splitlines()[-1].split()
    assert not heavy
    assert float(seconds) < 3, "CPU seconds: half of one where all is compiled, six with torch"


def test_facts_come_from_classes_and_not_from_names() -> None:
    for name in attack_names():
        attack, facts = make_attack(name), describe_attack(name)
        assert facts["access"] == str(attack.access)
        assert (name in blind_names()) == (attack.access == Access.BLIND)
    with_reference = set(attack_names(with_reference=True))
    assert "pia" + REFERENCE in with_reference and "cdi" + REFERENCE not in with_reference
    settings = [name for name, entry in BUILT_IN.items() if not entry.calibrated]
    assert len(settings) == 17 and not with_reference & {name + REFERENCE for name in settings}
    assert make_attack("trajectory-shift" + REFERENCE).access == Access.GREY  # when it is named


def test_what_a_caller_gets_of_the_catalogue_is_their_own() -> None:
    describe_attack("pia")["paper"] = "mine"
    assert describe_attack("pia")["paper"] == make_attack("pia").paper


def test_an_attack_outside_the_catalogue_is_made_and_measured() -> None:
    facts = describe_attack("pia" + REFERENCE)
    assert facts["name"] == "pia+reference" and facts["cost"] == describe_attack("pia")["cost"]
    with pytest.raises(UnknownName, match="did you mean pia"):
        describe_attack("piaa")


@pytest.mark.slow
def test_classes_are_imported_from_the_package() -> None:
    for entry in BUILT_IN.values():
        assert getattr(attacks, entry.kind.partition(":")[2]) is entry.load()
    assert fresh("from attacks import PIA, Attack, LearnedAttack; print(PIA())").startswith("PIA(")
    with pytest.raises(AttributeError, match="no attribute 'PIB'"):
        attacks.PIB  # noqa: B018


def test_names_of_classes_tell_them_apart_in_saved_files() -> None:
    kinds = {entry.kind for entry in BUILT_IN.values()}
    assert len({kind.partition(":")[2] for kind in kinds}) == len(kinds)


def test_an_access_level_may_be_named_in_the_class() -> None:
    class Named(attacks.LossThreshold):
        access = "black"  # type: ignore[assignment]

    assert Named.access is Access.BLACK and list(attacks_of([Named])) == ["named"]
    with pytest.raises(UnknownName, match="No access level is called 'gray'; did you mean grey"):
        type("Misspelt", (attacks.LossThreshold,), {"access": "gray"})


def test_an_entry_point_has_an_access_level(monkeypatch: pytest.MonkeyPatch) -> None:
    made = type("Unlevelled", (attacks.LossThreshold,), {"access": None})
    monkeypatch.setitem(vars(attacks), "Unlevelled", made)
    point = EntryPoint("unlevelled", "attacks:Unlevelled", "miagym.attacks")
    monkeypatch.setattr("attacks.registry._third_party", lambda: {"unlevelled": point})
    with pytest.raises(AttackError, match=r"Expected Unlevelled to have an access .* got None"):
        make_attack("unlevelled")


def test_what_compares_with_a_reference_by_itself_is_not_listed_calibrated(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = type("Probing", (attacks.LossThreshold,), {"uses_reference": True})
    monkeypatch.setitem(vars(attacks), "Probing", made)
    point = EntryPoint("probing", "attacks:Probing", "miagym.attacks")
    monkeypatch.setattr("attacks.registry._third_party", lambda: {"probing": point})
    listed = attack_names(with_reference=True)
    assert "probing" in listed and "probing+reference" not in listed
