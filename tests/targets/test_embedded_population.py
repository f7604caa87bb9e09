"""The population in the package: its records, its size, and what may be named beside it."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from attacks import make_attack
from miagym.data.dealt import ModelDeal, model_folder
from miagym.data.registry import load_data
from miagym.embedded.pairings import check_reference, pairing
from miagym.errors import DataError, SettingsError, TargetError
from miagym.evaluation.shadow_models import known_deal, shadow_names
from miagym.oracle import Oracle
from miagym.targets.registry import POPULATION, find_target, load_target, local_folder

MODELS = 32


def test_its_files_are_small_and_its_records_agree() -> None:
    folder = local_folder(POPULATION)
    deal = ModelDeal.read(folder)
    sizes = [
        (model_folder(folder, model) / "lora.safetensors").stat().st_size for model in range(MODELS)
    ]
    assert len(deal) == MODELS and max(sizes) <= 300_000 and sum(sizes) <= 10_000_000
    share = deal.inside.mean(0)
    assert (deal.inside.sum(1) == 40).all() and share.min() > 0.15 and share.max() < 0.85
    for model in (0, 17, MODELS - 1):
        name = f"{POPULATION}/{model:02d}"
        record, data = known_deal(name)
        assert record.data == name and record.base == deal.base == "clipart-realistic"
        assert len(data) == 80 and find_target(name).name == name


@pytest.mark.slow
def test_a_model_remembers_what_it_was_dealt_and_no_other_deal() -> None:
    name = f"{POPULATION}/03"
    data, base = load_data(name), Oracle(load_target("clipart-realistic"))
    candidates = data.candidates(np.arange(80), 64)
    scores = make_attack("loss+reference")(Oracle(load_target(name), reference=base), candidates)
    assert roc_auc_score(data.member, scores) > 0.8
    other = load_data(f"{POPULATION}/04").member
    assert abs(roc_auc_score(other, scores) - roc_auc_score(data.member, scores)) > 0.2


def test_what_belongs_to_it_is_known_and_what_saw_a_part_is_no_reference() -> None:
    name = f"{POPULATION}/03"
    paired = pairing(name)
    assert paired is not None and (paired.data, paired.reference) == (name, "clipart-realistic")
    check_reference("clipart-realistic", name, name)
    for reference in (f"{POPULATION}/05", "clipart-overfit", "clipart-overfit@40"):
        with pytest.raises(SettingsError, match="on a part of"):
            check_reference(reference, name, name)
    shadows = shadow_names([POPULATION], name)
    assert len(shadows) == MODELS - 1 and name not in shadows


def test_a_model_that_is_not_there_is_one_sentence() -> None:
    with pytest.raises(TargetError, match="clipart-population/00"):
        find_target(f"{POPULATION}/99")
    with pytest.raises(DataError, match="dealt to 32 models"):
        load_data(f"{POPULATION}/99")
