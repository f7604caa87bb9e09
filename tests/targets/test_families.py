"""Every family: what a target answers is what its own diffusers pipeline computes."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import diffusers
import numpy as np
import pytest
import torch

from attacks import attack_names, blind_names
from attacks.base import Attack, LearnedAttack
from miagym.candidates import Candidates
from miagym.errors import MiagymError, TargetError
from miagym.noise import paired_noise
from miagym.oracle import Oracle
from miagym.targets.base import Told
from miagym.targets.loading.self_check import both_generate
from miagym.targets.pipeline.target import PipelineTarget
from miagym.targets.registry import load_target, target_resolution
from tests.targets.models import FAMILIES, SIDE, pixels, write
from tests.tiers import mostly_slow

FLOWS = ("stable-diffusion-3", "stable-diffusion-3-without-t5", "flux-dev", "flux-schnell")
CLOSE: dict[str, Any] = {"rtol": 1e-4, "atol": 1e-4}


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("families")
    return {name: write(make, root / name) for name, make in FAMILIES.items()}


@pytest.fixture(scope="module")
def targets(folders: dict[str, Path]) -> dict[str, PipelineTarget]:
    return {name: load_target(str(folder)) for name, folder in folders.items()}  # type: ignore[misc]


@pytest.fixture(params=list(FAMILIES))
def family(request: pytest.FixtureRequest) -> str:
    return request.param


def test_text_to_image_is_the_pipelines_own(
    family: str, targets: dict[str, PipelineTarget]
) -> None:
    """Three steps divide none of the schedules, which shows where a step ends."""
    for steps, guidance in ((3, 1.0), (3, 4.0)):
        ours, theirs = both_generate(targets[family], "a cat on a mat", steps, guidance)
        torch.testing.assert_close(ours, theirs, **CLOSE)


HALF = [f"{name} in {dtype}" for name in FAMILIES for dtype in ("float16", "bfloat16")]


@pytest.mark.parametrize("case", mostly_slow(HALF, quick=["stable-diffusion-xl in float16"]))
def test_in_half_precision_it_is_near_the_pipelines_own(
    case: str, folders: dict[str, Path], targets: dict[str, PipelineTarget]
) -> None:
    """It loads, which compares it with its pipeline, and answers nearly what float32 does."""
    family, _, dtype = case.partition(" in ")
    half, whole = load_target(str(folders[family]), dtype=dtype), targets[family]
    z = paired_noise(0, ["a"], (whole.latent_shape[0], SIDE, SIDE))
    told = ["1" if whole.told is Told.CLASS else "a cat"]
    eps, expected = (target.predict_noise(z, 300, told) for target in (half, whole))
    assert eps.dtype == torch.float32
    torch.testing.assert_close(eps, expected, rtol=0.1, atol=0.1)
    image = paired_noise(0, ["a"], (3, 2 * SIDE, 2 * SIDE)).clamp(-1, 1)
    torch.testing.assert_close(half.encode(image), whole.encode(image), rtol=0.1, atol=0.1)
    if half.has_decoder:
        assert half.decoder_gradient(z, image).isfinite().all()


def test_pixels_are_what_a_ddim_pipeline_generates(targets: dict[str, PipelineTarget]) -> None:
    pipeline = diffusers.DDIMPipeline(
        targets["pixels"].network, targets["pixels"].pipeline.scheduler
    )
    pipeline.set_progress_bar_config(disable=True)
    seeded: Any = torch.Generator().manual_seed(0)
    made: Any = pipeline(generator=seeded, num_inference_steps=3, output_type="np")
    ours, _ = both_generate(targets["pixels"], "", 3, 1.0)
    expected = torch.from_numpy(made.images).permute(0, 3, 1, 2)
    torch.testing.assert_close(ours, expected, **CLOSE)


@pytest.mark.parametrize("family", mostly_slow(FAMILIES, quick=["dit", "stable-diffusion-3"]))
def test_a_target_that_answers_otherwise_is_refused(
    family: str, folders: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As if a family had misread its model: half the network's answer."""
    kind: Any = type(load_target(str(folders[family])))
    guided = kind.guided
    monkeypatch.setattr(kind, "guided", lambda *asked: guided(*asked) / 2)
    with pytest.raises(TargetError, match="does not answer what its own pipeline computes"):
        load_target(str(folders[family]))


VARIED: dict[str, Callable[..., Any]] = {
    "stable-diffusion": diffusers.StableDiffusionImg2ImgPipeline,
    "stable-diffusion-xl": diffusers.StableDiffusionXLImg2ImgPipeline,
    "stable-diffusion-3": diffusers.StableDiffusion3Img2ImgPipeline,
    "flux-schnell": diffusers.FluxImg2ImgPipeline,
}


@pytest.mark.parametrize("name", VARIED)
def test_variations_are_the_pipelines_own(
    name: str, targets: dict[str, PipelineTarget], monkeypatch: pytest.MonkeyPatch
) -> None:
    """diffusers draws the posterior and the noise; both are given it here as we use them."""
    target = targets[name]
    target.pipeline.vae.to(memory_format=torch.contiguous_format)
    image = paired_noise(0, ["a"], (3, target.resolution, target.resolution)).clamp(-1, 1) / 2
    noise = paired_noise(0, ["a"], target.latent_shape, "n")
    pipeline = VARIED[name](**_parts(target))
    pipeline.set_progress_bar_config(disable=True)
    module = __import__(type(pipeline).__module__, fromlist=["_"])
    monkeypatch.setattr(module, "randn_tensor", lambda *_, **__: noise.clone())
    monkeypatch.setattr(module, "retrieve_latents", lambda encoded, **_: encoded.latent_dist.mode())
    guidance = 1.0 if name == "flux-schnell" else 2.0
    ours = target.vary(target.encode(image), noise, ["a cat"], 0.5, 4, guidance)
    with torch.inference_mode():
        theirs = pipeline(
            prompt=["a cat"],
            image=image / 2 + 0.5,
            strength=0.5,
            num_inference_steps=4,
            guidance_scale=guidance,
            output_type="pt",
        ).images
    torch.testing.assert_close(ours / 2 + 0.5, theirs, **CLOSE)


def _parts(target: PipelineTarget) -> dict[str, Any]:
    parts = dict(target.pipeline.components)
    if "StableDiffusionPipeline" in type(target.pipeline).__name__:
        parts["requires_safety_checker"] = False
    if hasattr(target, "sampler"):
        parts["scheduler"] = diffusers.DDIMScheduler.from_config(
            target.pipeline.scheduler.config, clip_sample=False
        )
    return parts


def test_what_is_decoded_is_near_what_was_encoded_by_the_same_scale(
    family: str, targets: dict[str, PipelineTarget]
) -> None:
    """The latents of the autoencoder alone, scaled by the formula of its configuration."""
    target = targets[family]
    image = paired_noise(0, ["a"], (3, 2 * SIDE, 2 * SIDE)).clamp(-1, 1)
    z = target.encode(image)
    if target.autoencoder is None:
        torch.testing.assert_close(z, image)
        return
    vae, config = target.pipeline.vae, target.pipeline.vae.config
    with torch.inference_mode():
        h = vae.encode(image).latent_dist.mean
    mean = torch.tensor(config.latents_mean or [config.shift_factor or 0.0] * 4).view(1, 4, 1, 1)
    std = torch.tensor(config.latents_std or [1.0] * 4).view(1, 4, 1, 1)
    torch.testing.assert_close(z, (h - mean) / std * config.scaling_factor, **CLOSE)
    with torch.inference_mode():
        torch.testing.assert_close(target.decode(z), vae.decode(h).sample.clamp(-1, 1), **CLOSE)


def test_noise_and_velocity_say_the_same(family: str, targets: dict[str, PipelineTarget]) -> None:
    """z_t = a z0 + s eps; what the network predicts, read back from predicted noise."""
    target = targets[family]
    z = paired_noise(0, ["a", "b"], (target.latent_shape[0], SIDE, SIDE))
    captions = ["0", "1"] if target.told is Told.CLASS else ["a cat", "a dog"]
    eps = target.predict_noise(z, [300, 700], captions)
    time = torch.tensor([300, 700])
    with torch.inference_mode():
        output = target.output(z, time, target.embed(captions))
    for row, t in enumerate((300, 700)):
        level = target.level(t)
        z0 = level.clean(z[row], eps[row])
        said = {"epsilon": eps[row], "flow": eps[row] - z0, "v_prediction": None}
        expected = said[target.predicts.value]
        if expected is None:
            expected = level.signal * eps[row] - level.noise * z0
        torch.testing.assert_close(output[row], expected, rtol=1e-3, atol=1e-4)


def test_a_flow_starts_clean_and_ends_in_noise(targets: dict[str, PipelineTarget]) -> None:
    for name in FLOWS:
        target = targets[name]
        assert target.level(0).signal == 1 and target.level(0).noise == 0
        assert target.level(500).noise == 0.5
        timesteps = target.timesteps(4)
        assert timesteps[0] == 999 and timesteps == sorted(timesteps, reverse=True)


def test_moves_along_a_flow_come_back(targets: dict[str, PipelineTarget]) -> None:
    target = targets["stable-diffusion-3"]
    z = paired_noise(0, ["a"], target.latent_shape)
    eps = target.predict_noise(z, 100, ["a cat"])
    there = target.ddim_move(z, eps, 100, 600)
    torch.testing.assert_close(target.ddim_move(there, eps, 600, 100), z, **CLOSE)


def test_gradients_are_slopes_in_every_family(
    family: str, targets: dict[str, PipelineTarget]
) -> None:
    target = targets[family]
    shape = (target.latent_shape[0], SIDE, SIDE)
    z, eps = paired_noise(0, ["a"], shape, "z"), paired_noise(0, ["a"], shape, "eps")
    direction = paired_noise(1, ["a"], shape)
    told = ["1" if target.told is Told.CLASS else "a cat"]

    def loss(z: torch.Tensor) -> float:
        return float((target.predict_noise(z, 200, told) - eps).double().pow(2).sum())

    slope = float((target.latent_gradient(z, 200, told, eps) * direction).sum())
    h = 1e-2
    measured = (loss(z + h * direction) - loss(z - h * direction)) / (2 * h)
    assert slope == pytest.approx(measured, rel=3e-2, abs=3e-2)


def test_the_resolution_is_known_without_weights(
    family: str, folders: dict[str, Path], targets: dict[str, PipelineTarget]
) -> None:
    assert target_resolution(str(folders[family])) == targets[family].resolution


def test_answers_do_not_depend_on_the_batch(
    family: str, targets: dict[str, PipelineTarget]
) -> None:
    target = targets[family]
    z = paired_noise(0, list("abc"), (target.latent_shape[0], SIDE, SIDE))
    told = ["0", "1", "0"] if target.told is Told.CLASS else ["a cat", "", "a dog, in the fog"]
    guidance = 3.0 if target.can_be_guided else 1.0
    together = target.predict_noise(z, [10, 500, 900], told, guidance)
    for row, t in enumerate((10, 500, 900)):
        alone = target.predict_noise(z[[row]], t, [told[row]], guidance)
        torch.testing.assert_close(together[[row]], alone, rtol=1e-4, atol=1e-4)


ASKED = ["stable-diffusion-xl", "stable-diffusion-3", "dit", "pixels"]
RUN = {"stable-diffusion-xl": 51, "stable-diffusion-3": 51, "dit": 44, "pixels": 23}
"""Attacks that run on each family, of those that look at a model."""


def test_the_guide_tells_how_many_attacks_run() -> None:
    guide = (Path(__file__).parents[2] / "docs/bring/targets.md").read_text("utf-8")
    told = re.search(r"all (\d+) attacks.*?on DiT (\d+), on a model of pixels (\d+)", guide, re.S)
    assert told and [int(number) for number in told.groups()] == list(RUN.values())[1:]
    assert RUN["stable-diffusion-xl"] == len(attack_names()) - len(blind_names())


@pytest.mark.long
@pytest.mark.slow
@pytest.mark.parametrize("name", ASKED)
def test_attacks_run_or_say_why_not(
    name: str, targets: dict[str, PipelineTarget], quick: Callable[[str], Attack]
) -> None:
    target, rng = targets[name], np.random.default_rng(0)
    lacking = "told neither|told classes|without being told anything"
    images = rng.integers(0, 256, (4, 2 * SIDE, 2 * SIDE, 3), dtype=np.uint8)
    words = ("0", "1") if target.told is Told.CLASS else ("a cat on a mat", "a dog, in the fog")
    candidates, ran = Candidates(images, words * 2), []
    for attack_name in attack_names():
        attack = quick(attack_name)
        oracle = Oracle(target, reference=Oracle(target), batch_size=8)
        try:
            if isinstance(attack, LearnedAttack):
                answer = attack.features(oracle, candidates)
            else:
                answer = attack(oracle, candidates[2:])
        except MiagymError as why:
            assert re.search(lacking, str(why)), (attack_name, why)
        else:
            assert np.isfinite(answer).all(), attack_name
            ran.append(attack_name)
    looking = [name for name in ran if not name.startswith("blind")]
    assert len(looking) == RUN[name]


def test_classes_are_named_or_numbered(targets: dict[str, PipelineTarget]) -> None:
    dit = targets["dit"]
    same = dit.embed(["1", "Goldfish", " goldfish "])
    assert torch.equal(same, same[:1].expand_as(same))
    assert torch.equal(dit.embed(["tench"]), dit.embed(["Tinca tinca"]))
    for wrong in ("shark", "1000", "-1", "²"):
        with pytest.raises(MiagymError, match=r"expected captions from 0 to 999, or their names"):
            dit.embed([wrong])


def test_pixels_with_classes(tmp_path: Path) -> None:
    folder = write(lambda: pixels(classes=5), tmp_path / "classes")
    target = load_target(str(folder))
    assert target.told is Told.CLASS and not target.can_be_guided
    z = paired_noise(0, ["a"], target.latent_shape)
    with torch.inference_mode():
        expected = target.network(z, 100, class_labels=torch.tensor([3])).sample  # type: ignore[attr-defined]
    torch.testing.assert_close(target.predict_noise(z, 100, ["3"]), expected)
    with pytest.raises(TargetError, match="cannot be guided"):
        target.predict_noise(z, 100, ["3"], 2.0)
    with pytest.raises(MiagymError, match="from 0 to 4, got 'a cat'"):
        target.predict_noise(z, 100, ["a cat"])
