"""Loaded pipelines: what they answer is what diffusers answers, for noise and for velocity."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import DDIMScheduler, StableDiffusionPipeline, UNet2DConditionModel

from attacks import attack_names, make_attack
from attacks.base import LearnedAttack
from miagym.candidates import Candidates
from miagym.errors import MiagymError, TargetError, UnknownName
from miagym.noise import paired_noise
from miagym.oracle import Oracle
from miagym.oracle.budget import Cost
from miagym.targets.base import Target
from miagym.targets.loading.device import best_device
from miagym.targets.registry import EMBEDDED, checkpoints, load_target, target_resolution
from tests.tiers import few_of_the_family, mostly_slow

KINDS = ["epsilon", "v_prediction"]
PROMPTS = ["a cat", "a dog, in the fog"]


@pytest.fixture(params=KINDS)
def folder(request: pytest.FixtureRequest, pipelines: dict[str, Path]) -> Path:
    return pipelines[request.param]


@pytest.fixture
def target(folder: Path) -> Target:
    return load_target(str(folder))


def ddim_pipeline(folder: Path) -> StableDiffusionPipeline:
    pipeline = StableDiffusionPipeline.from_pretrained(folder, safety_checker=None)
    # PNDM has no clip_sample, and DDIM would clip latents by default:
    config = pipeline.scheduler.config
    pipeline.scheduler = DDIMScheduler.from_config(config, clip_sample=False)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


@pytest.mark.parametrize("guidance_scale", [1.0, 7.5])
def test_text_to_image_is_what_diffusers_generates(
    target: Target, folder: Path, guidance_scale: float
) -> None:
    noise = paired_noise(0, ["a", "b"], target.latent_shape)
    ours = target.generate(noise, PROMPTS, steps=4, guidance_scale=guidance_scale)
    pipeline: Any = ddim_pipeline(folder)
    theirs = pipeline(
        prompt=PROMPTS,
        latents=noise.clone(),
        num_inference_steps=4,
        guidance_scale=guidance_scale,
        output_type="pt",
    ).images
    torch.testing.assert_close(ours / 2 + 0.5, theirs, rtol=1e-4, atol=1e-4)


def test_inverting_and_denoising_again_comes_back(target: Target) -> None:
    z = paired_noise(0, ["a"], target.latent_shape)
    eps = target.predict_noise(z, 50, ["a cat"])
    there = target.ddim_move(z, eps, 50, 400)
    torch.testing.assert_close(target.ddim_move(there, eps, 400, 50), z, rtol=1e-4, atol=1e-4)


def test_velocity_is_turned_into_noise(pipelines: dict[str, Path]) -> None:
    """The same network read as velocity: eps = sqrt(ab) v + sqrt(1 - ab) z."""
    folder = pipelines["v_prediction"]
    target = load_target(str(folder))
    pipeline = ddim_pipeline(folder)
    z = paired_noise(0, ["a"], target.latent_shape)
    tokens = pipeline.tokenizer(
        ["a cat"], padding="max_length", max_length=77, return_tensors="pt"
    ).input_ids
    with torch.inference_mode():
        v = pipeline.unet(z, 300, pipeline.text_encoder(tokens)[0]).sample
    ab = float(pipeline.scheduler.alphas_cumprod[300])
    expected = ab**0.5 * v + (1 - ab) ** 0.5 * z
    torch.testing.assert_close(target.predict_noise(z, 300, ["a cat"]), expected)


def test_latent_gradient_is_the_slope_of_the_loss(target: Target) -> None:
    z = paired_noise(0, ["a", "b"], target.latent_shape, "z")
    eps = paired_noise(0, ["a", "b"], target.latent_shape, "eps")
    direction = paired_noise(1, ["a", "b"], target.latent_shape)

    def loss(z: torch.Tensor) -> torch.Tensor:
        return (target.predict_noise(z, 200, PROMPTS) - eps).double().pow(2).flatten(1).sum(1)

    slope = (target.latent_gradient(z, 200, PROMPTS, eps) * direction).flatten(1).sum(1)
    h = 1e-2
    measured = (loss(z + h * direction) - loss(z - h * direction)) / (2 * h)
    torch.testing.assert_close(slope.double(), measured, rtol=2e-2, atol=2e-2)


def test_pixel_and_embedding_gradients_are_slopes_of_the_loss(target: Target) -> None:
    eps = paired_noise(0, ["a", "b"], target.latent_shape, "eps")
    x = 0.5 * paired_noise(0, ["a", "b"], (3, target.resolution, target.resolution)).clamp(-1, 1)
    e = target.embed(PROMPTS).clone()

    def loss(x: torch.Tensor, e: torch.Tensor) -> torch.Tensor:
        z_t = target.add_noise(target.encode(x), eps, 200)
        return (target.predict_noise(z_t, 200, e) - eps).double().pow(2).flatten(1).sum(1)

    z_t = target.add_noise(target.encode(x), eps, 200)
    gradients = (
        (target.pixel_gradient(x, 200, PROMPTS, eps), lambda d: loss(x + d, e)),
        (target.embedding_gradient(z_t, 200, e, eps), lambda d: loss(x, e + d)),
    )
    for gradient, moved in gradients:
        direction = paired_noise(1, ["a", "b"], tuple(gradient.shape[1:]))
        h = 1e-2
        measured = (moved(h * direction) - moved(-h * direction)) / (2 * h)
        slope = (gradient * direction).flatten(1).sum(1)
        torch.testing.assert_close(slope.double(), measured, rtol=3e-2, atol=3e-2)


def test_embeddings_stand_for_their_prompts(target: Target) -> None:
    z = paired_noise(0, ["a", "b"], target.latent_shape)
    for guidance in (1.0, 3.0):
        by_text = target.predict_noise(z, 100, PROMPTS, guidance)
        by_embedding = target.predict_noise(z, 100, target.embed(PROMPTS), guidance)
        torch.testing.assert_close(by_text, by_embedding)


def test_parameter_gradients_average_over_timesteps(target: Target) -> None:
    """At one timestep named twice they are those of that timestep; a row is alone in any batch."""
    z = paired_noise(0, ["a", "b"], target.latent_shape, "z")[:, None]
    eps = paired_noise(0, ["a", "b"], target.latent_shape, "eps")[:, None]
    both = target.parameter_gradient_norms(z, [200], PROMPTS, eps)
    twice = torch.cat([z, z], 1), [200, 200], PROMPTS, torch.cat([eps, eps], 1)
    torch.testing.assert_close(target.parameter_gradient_norms(*twice), both, rtol=1e-4, atol=1e-6)
    second = target.parameter_gradient_norms(z[1:], [200], PROMPTS[1:], eps[1:])
    assert both.shape[1] > 100 and (both >= 0).all()
    torch.testing.assert_close(both[1:], second, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("guidance", [1.0, 7.5])
def test_rows_at_different_timesteps_share_a_batch(target: Target, guidance: float) -> None:
    timesteps, names = [400, 0, 999, 60], ["a", "b", "c", "d"]
    z0 = paired_noise(0, names, target.latent_shape, "z")
    eps = paired_noise(0, names, target.latent_shape, "eps")
    z_t = target.add_noise(z0, eps, timesteps)
    answers = target.predict_noise(z_t, timesteps, PROMPTS * 2, guidance)
    for i, t in enumerate(timesteps):
        level = target.level(t)
        expected = level.signal * z0[[i]] + level.noise * eps[[i]]
        torch.testing.assert_close(z_t[[i]], expected, rtol=1e-6, atol=1e-7)
        one = target.predict_noise(z_t[[i]], t, [(PROMPTS * 2)[i]], guidance)
        torch.testing.assert_close(answers[[i]], one, rtol=1e-5, atol=1e-5)
    for wrong in ([400, 0, 999], [400, 0, 999, 1000]):
        with pytest.raises(MiagymError, match="Expected"):
            target.predict_noise(z_t, wrong, PROMPTS * 2, guidance)
        with pytest.raises(MiagymError, match="Expected"):
            target.add_noise(z0, eps, wrong)


NAMES = few_of_the_family(attack_names())
ONE_OF_EACH_ACCESS = ["blind-both", "rediffuse", "loss", "secmi-nn", "noise-optimisation"]


@pytest.mark.parametrize("name", mostly_slow(NAMES, quick=ONE_OF_EACH_ACCESS, are_long=True))
def test_every_attack_runs(
    name: str, target: Target, drawings: Candidates, member: np.ndarray
) -> None:
    attack, oracle = make_attack(name), Oracle(target, batch_size=4)
    if isinstance(attack, LearnedAttack):
        some = slice(28, 52)
        attack = attack.fit(attack.features(oracle, drawings[some]), member[some])
    few = drawings[38:42]

    def asked() -> Oracle:
        reference = Oracle(target) if attack.uses_reference else None
        return Oracle(target, batch_size=4, reference=reference)

    oracle = asked()
    scores = attack(oracle, few)
    assert np.isfinite(scores).all()
    if not attack.adaptive:
        assert oracle.meter.total() == attack.cost * len(few)
    if name == "mofit" or isinstance(attack, LearnedAttack):
        return  # signs, and rules fitted to an untrained model, amplify the last bits
    alone = [attack(asked(), few[[i]])[0] for i in range(len(few))]
    # the last bits decide which of two nearly equal gradients is in the mask
    rtol = 2e-2 if name == "gradient-masking" else 1e-4
    np.testing.assert_allclose(scores, alone, rtol=rtol, atol=1e-5)


def test_half_precision_loads_and_answers_in_float32(folder: Path) -> None:
    target = load_target(str(folder), dtype=torch.bfloat16)
    z = paired_noise(0, ["a"], target.latent_shape)
    assert target.predict_noise(z, 100, ["a cat"]).dtype == torch.float32
    embedding = target.embed(["a cat"])
    assert embedding.dtype == torch.float32
    gradient = target.embedding_gradient(z, 100, embedding, z)
    whole = load_target(str(folder), dtype=torch.float32).embedding_gradient(z, 100, embedding, z)
    assert gradient.dtype == torch.float32
    similarity = torch.cosine_similarity(gradient.flatten(), whole.flatten(), dim=0)
    assert similarity > 0.9 and 0.8 < gradient.norm() / whole.norm() < 1.25


def test_an_autoencoder_works_in_float32_under_half_precision(folder: Path) -> None:
    half: Any = load_target(str(folder), dtype=torch.bfloat16)
    whole: Any = load_target(str(folder), dtype=torch.float32)
    assert (half.network.dtype, half.pipeline.vae.dtype) == (torch.bfloat16, torch.float32)
    assert half.fingerprint.endswith("torch.bfloat16") and half.fingerprint != whole.fingerprint
    x = paired_noise(0, ["x"], (3, whole.resolution, whole.resolution)).clamp(-1, 1)
    z = whole.encode(x)
    # what is lost is what the weights lost when they were read in half precision, and no more
    for ours, theirs in ((half.encode(x), z), (half.decode(z), whole.decode(z))):
        assert (ours - theirs).abs().mean() < 5e-3
    weights = torch.ones_like(x)
    ours, theirs = (target.decoder_gradient(z, weights) for target in (half, whole))
    assert torch.cosine_similarity(ours.flatten(), theirs.flatten(), dim=0) > 0.99


@pytest.mark.slow
@pytest.mark.long
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of torch, while it compiles
def test_a_compiled_denoiser_answers_the_same(pipelines: dict[str, Path]) -> None:
    plain = load_target(str(pipelines["epsilon"]))
    compiled = load_target(str(pipelines["epsilon"]), compiled=True)
    assert compiled.fingerprint == plain.fingerprint
    asked = paired_noise(0, ["a", "b"], plain.latent_shape), 100, ["a cat", "a dog"]
    ours, theirs = compiled.predict_noise(*asked), plain.predict_noise(*asked)
    torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize(
    ("cuda", "mps", "found"), [(True, True, "cuda"), (False, True, "mps"), (False, False, "cpu")]
)
def test_auto_takes_the_fastest_device(
    cuda: bool, mps: bool, found: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
    assert best_device() == found


@pytest.mark.parametrize(
    ("name", "error", "says"),
    [
        ("clipart-overfitt", UnknownName, "did you mean clipart-overfit"),
        ("xyzzy", UnknownName, "known: .*clipart-realistic"),
        ("some-owner/some-model", TargetError, "cannot be loaded"),
        ("some-owner/some-model@40", TargetError, "not downloaded before"),
        ("./nowhere@40", TargetError, "no folder or file ./nowhere@40"),
        ("some/model.safetensors", TargetError, "no folder or file"),
        ("~/model", TargetError, "no folder or file"),
        ("clipart-overfit@41", TargetError, "those it keeps: 15, 40, 80, 130"),
        ("clipart-null@40", TargetError, "those it keeps: none"),
        ("@40", UnknownName, "No target"),
        ("x" * 300, UnknownName, "No target"),
        ("x" * 300 + "@40", UnknownName, "No target"),
    ],
)
def test_names_that_lead_nowhere(name: str, error: type[MiagymError], says: str) -> None:
    with pytest.raises(error, match=says):
        load_target(name)


def test_a_folder_that_is_no_model(tmp_path: Path) -> None:
    with pytest.raises(TargetError, match=r"expected a folder with model_index\.json"):
        load_target(str(tmp_path))


def test_a_broken_model(tmp_path: Path, pipelines: dict[str, Path]) -> None:
    broken = shutil.copytree(pipelines["epsilon"], tmp_path / "broken")
    (broken / "unet" / "diffusion_pytorch_model.safetensors").write_bytes(b"nonsense")
    with pytest.raises(TargetError, match="cannot be loaded"):
        load_target(str(broken))


def test_a_model_without_text(tmp_path: Path, pipelines: dict[str, Path]) -> None:
    mute = shutil.copytree(pipelines["epsilon"], tmp_path / "mute")
    index = json.loads((mute / "model_index.json").read_text())
    index["text_encoder"] = index["tokenizer"] = [None, None]
    (mute / "model_index.json").write_text(json.dumps(index))
    with pytest.raises(TargetError, match="no text encoder"):
        load_target(str(mute))


def test_a_model_that_predicts_something_else(tmp_path: Path, pipelines: dict[str, Path]) -> None:
    other = shutil.copytree(pipelines["epsilon"], tmp_path / "sample")
    config = other / "scheduler" / "scheduler_config.json"
    config.write_text(config.read_text().replace('"epsilon"', '"logits"'))
    with pytest.raises(TargetError, match="predicts 'logits'; expected"):
        load_target(str(other))


def with_checkpoint(folder: Path, epoch: int, scale: float) -> None:
    """Keeps a UNet like the last one, its output scaled, as `miagym train` keeps checkpoints."""
    unet = UNet2DConditionModel.from_pretrained(folder / "unet")
    for parameter in unet.conv_out.parameters():
        parameter.data *= scale
    unet.save_pretrained(folder / "checkpoints" / f"epoch-{epoch:03d}" / "unet")


def test_checkpoints_of_a_folder(tmp_path: Path, pipelines: dict[str, Path]) -> None:
    name = str(shutil.copytree(pipelines["epsilon"], tmp_path / "mine"))
    assert checkpoints(name) == []
    with pytest.raises(TargetError, match="keeps no checkpoint 40; those it keeps: none"):
        load_target(f"{name}@40")
    for epoch, scale in ((1000, 3.0), (0, 1.0), (40, 2.0)):
        with_checkpoint(tmp_path / "mine", epoch, scale)
    for odd in ("epoch-x", "epoch-7", "partial", "epoch-008"):
        (tmp_path / "mine/checkpoints" / odd).mkdir()
    assert checkpoints(name) == [f"{name}@0", f"{name}@40", f"{name}@1000"]
    targets = [load_target(full) for full in (name, *checkpoints(name))]
    assert [target.name for target in targets] == [name, *checkpoints(name)]
    z = paired_noise(0, ["a"], targets[0].latent_shape)
    answers = [target.predict_noise(z, 100, ["a cat"]) for target in targets]
    for answer, scale in zip(answers, (1, 1, 2, 3), strict=True):
        torch.testing.assert_close(answer, scale * answers[0])
    assert len({target.fingerprint for target in targets}) == 3
    with pytest.raises(TargetError, match="keeps no checkpoint 8; those it keeps: 0, 40, 1000"):
        load_target(f"{name}@8")


def test_a_folder_may_have_an_at_in_its_name(tmp_path: Path, pipelines: dict[str, Path]) -> None:
    (tmp_path / "me").mkdir()
    for name in ("me@home", "me@40"):
        folder = shutil.copytree(pipelines["epsilon"], tmp_path / name)
        assert load_target(str(folder)).name == str(folder)


def test_gradients_cost_a_backward_row(target: Target, drawings: Candidates) -> None:
    oracle = Oracle(target)
    z = oracle.encode(drawings[:2])
    oracle.latent_gradient(drawings[:2], z, 100, torch.zeros_like(z))
    spent = Cost(queries=2, unet_rows=1, encodes=1, backward_rows=1)
    assert oracle.meter.spent(drawings.keys[0]) == spent


def test_the_resolution_is_known_before_a_target_is_loaded(folder: Path, tmp_path: Path) -> None:
    assert target_resolution(str(folder)) == load_target(str(folder)).resolution
    other = shutil.copytree(folder, tmp_path / "mine")
    with_checkpoint(other, 40, 1.0)
    change(other / "unet" / "config.json", sample_size=16)
    for name in (str(other), f"{other}@40"):
        assert target_resolution(name) == load_target(name).resolution
    assert target_resolution(str(other)) == 2 * target_resolution(f"{other}@40")


@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_a_small_size_from_before_diffusers_0_9_is_read_as_diffusers_reads_it(
    folder: Path, tmp_path: Path
) -> None:
    old = shutil.copytree(folder, tmp_path / "old")
    change(old / "unet" / "config.json", _diffusers_version="0.6.0")
    assert target_resolution(str(old)) == load_target(str(old)).resolution == 512


def change(config: Path, **settings: object) -> None:
    config.write_text(json.dumps({**json.loads(config.read_text()), **settings}))


@pytest.mark.parametrize("name", [*EMBEDDED, "clipart-overfit@40"])
def test_the_resolution_of_the_embedded_targets(name: str) -> None:
    side = 32 if "pixels" in name else 64
    assert target_resolution(name) == load_target(name).resolution == side


@pytest.mark.parametrize(
    ("part", "text", "says"),
    [
        ("unet", "{", "unet/config.json cannot be read"),
        ("unet", "[]", "unet/config.json holds no settings"),
        ("unet", "{}", "tells no size"),
        ("unet", '{"sample_size": [8, 16]}', "tells no size"),
        ("vae", '{"block_out_channels": 3}', "tells no size"),
        ("vae", None, "vae/config.json cannot be read"),
    ],
)
def test_a_configuration_that_tells_no_resolution(
    part: str, text: str | None, says: str, tmp_path: Path, pipelines: dict[str, Path]
) -> None:
    broken = shutil.copytree(pipelines["epsilon"], tmp_path / "broken")
    config = broken / part / "config.json"
    if text is None:
        config.unlink()
    else:
        config.write_text(text)
    with pytest.raises(TargetError, match=says):
        target_resolution(str(broken))


@pytest.mark.parametrize(
    ("name", "error", "says"),
    [
        ("clipart-overfitt", UnknownName, "did you mean clipart-overfit"),
        ("clipart-overfit@41", TargetError, "those it keeps: 15, 40, 80, 130"),
        (
            "some-owner/some-model",
            TargetError,
            "was not downloaded before, and the hub cannot be reached",
        ),
        ("no/such/model", TargetError, "There is no folder or file no/such/model; expected"),
    ],
)
def test_names_without_a_resolution(name: str, error: type[MiagymError], says: str) -> None:
    with pytest.raises(error, match=says):
        target_resolution(name)


def test_a_hub_model_tells_its_resolution_by_three_small_files_and_without_torch(
    tmp_path: Path, pipelines: dict[str, Path]
) -> None:
    """As the hub's client keeps downloaded files: it finds these, and there are no others."""
    repository = tmp_path / "models--owner--model"
    revision = "0" * 40
    (repository / "refs").mkdir(parents=True)
    (repository / "refs" / "main").write_text(revision)
    for part in ("unet", "vae"):
        folder = repository / "snapshots" / revision / part
        folder.mkdir(parents=True)
        shutil.copy(pipelines["epsilon"] / part / "config.json", folder)
    shutil.copy(pipelines["epsilon"] / "model_index.json", folder.parent)
    code = (
        "import sys; from miagym.targets.registry import target_resolution as of; "
        "print(of('clipart-null'), of('owner/model')); "
        "print({'torch', 'diffusers'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "HF_HUB_CACHE": str(tmp_path), "HF_HUB_OFFLINE": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split("\n")[:2] == ["64 64", "set()"]
