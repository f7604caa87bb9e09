"""Shared parts: a dummy target that memorises, and small pipelines in Stable Diffusion's format."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import settings

os.environ["HF_HUB_OFFLINE"] = "1"  # no test may reach for the hub

import torch
from diffusers import (
    AutoencoderKL,
    DDIMScheduler,
    PNDMScheduler,
    StableDiffusionPipeline,
    UNet2DConditionModel,
)
from sklearn.ensemble import HistGradientBoostingClassifier
from transformers import CLIPTextConfig, CLIPTextModel

from attacks import Attack, make_attack
from miagym.candidates import Candidates
from miagym.data.registry import load_data
from miagym.targets.dummy import DummyTarget
from miagym.training.text import train_tokenizer

# Modules of assertions that tests share: when one fails, pytest shows its values as in a test.
pytest.register_assert_rewrite(
    "tests.app.visiting",
    "attacks.contract",
    "miagym.targets.contract",
    "tests.attacks.plain",
    "tests.command_line",
)

torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "2")))
settings.register_profile("busy", deadline=None)  # a busy machine is no failure
settings.load_profile("busy")
MEMBERS = 40


@pytest.fixture(scope="session")
def drawings() -> Candidates:
    """40 members and 40 non-members of the embedded art, members first."""
    data = load_data("clipart")
    rows = [np.flatnonzero(data.member == member)[:MEMBERS] for member in (True, False)]
    return data.candidates(np.concatenate(rows), 64)


@pytest.fixture(scope="session")
def member() -> np.ndarray:
    """The labels of `drawings`."""
    return np.arange(2 * MEMBERS) < MEMBERS


@pytest.fixture(scope="session")
def dummy(drawings: Candidates) -> DummyTarget:
    """A target that has memorised the members of `drawings`."""
    return DummyTarget(drawings[:MEMBERS])


QUICK: dict[str, dict[str, Any]] = {
    "cdi": {"timesteps": (0, 300, 600)},
    "gsa1": {"timesteps": (100, 500), "trees": 20},
    "gsa2": {"timesteps": (100, 500), "trees": 20},
    "nearest-generated": {"draws": 3},
    "pfami-nn": {"timesteps": (0, 200), "crops": (0.95, 0.81)},
    "trajectory-forest": {"trees": (10,)},
}
"""Smaller grids than the papers', where asking and fitting would take most of a test."""


@pytest.fixture(scope="session")
def quick() -> Callable[[str], Attack]:
    """Makes an attack by name, quick to fit."""
    return lambda name: replace(make_attack(name), **QUICK.get(name, {}))


@pytest.fixture(scope="module")
def small_forests() -> Iterator[None]:
    """Blind rows, which are in every run, of ten boosted trees: quick to fit and to save."""

    def boosting(max_iter: int, **options: Any) -> HistGradientBoostingClassifier:
        return HistGradientBoostingClassifier(max_iter=min(max_iter, 10), **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("attacks.blind.HistGradientBoostingClassifier", boosting)
        yield


def save_pipeline(
    folder: Path, *, prediction_type: str = "epsilon", scheduler: str = "ddim"
) -> Path:
    """Writes an untrained pipeline in the shape of Stable Diffusion 1.x, for 64 pixels."""
    torch.manual_seed(0)
    tokenizer = train_tokenizer(["a cat on a mat", "a dog, in the fog"])
    tokenizer.model_max_length = 77
    text = CLIPTextConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        intermediate_size=37,
        num_hidden_layers=2,
        num_attention_heads=4,
        max_position_embeddings=77,
        bos_token_id=0,
        eos_token_id=1,
        pad_token_id=1,
    )
    unet = UNet2DConditionModel(
        sample_size=8,
        block_out_channels=(16, 32),
        down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
        layers_per_block=1,
        cross_attention_dim=32,
        attention_head_dim=4,
        norm_num_groups=8,
    )
    vae = AutoencoderKL(
        sample_size=64,
        block_out_channels=(8, 8, 16, 16),
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        layers_per_block=1,
        norm_num_groups=4,
    )
    kind = {"ddim": DDIMScheduler, "pndm": PNDMScheduler}[scheduler]
    noise = kind(
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        steps_offset=1,
        set_alpha_to_one=False,
        prediction_type=prediction_type,
        **({"skip_prk_steps": True} if scheduler == "pndm" else {"clip_sample": False}),
    )
    StableDiffusionPipeline(
        vae=vae,
        text_encoder=CLIPTextModel(text),
        tokenizer=tokenizer,
        unet=unet,
        scheduler=noise,
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    ).save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def pipelines(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Folders of untrained pipelines: epsilon as in SD 1.x, v-prediction as in SD 2.x."""
    root = tmp_path_factory.mktemp("pipelines")
    return {
        "epsilon": save_pipeline(root / "epsilon", scheduler="pndm"),
        "v_prediction": save_pipeline(root / "v", prediction_type="v_prediction"),
    }
