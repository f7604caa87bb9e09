"""Folders as people have them: loaded right, or refused in one sentence that helps."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import diffusers
import pytest
import torch
from safetensors.torch import load_file, save_file

from miagym.errors import MiagymError, TargetError
from miagym.noise import paired_noise
from miagym.targets.base import Target
from miagym.targets.registry import load_target
from tests.targets import models
from tests.targets.models import write

UNET = "unet/diffusion_pytorch_model.safetensors"
TEXT = "text_encoder/model.safetensors"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(models.stable_diffusion, tmp_path_factory.mktemp("made") / "model")


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    return shutil.copytree(made, tmp_path / "model")


def change(config: Path, **settings: object) -> None:
    content = json.loads(config.read_text(encoding="utf-8"))
    config.write_text(json.dumps({**content, **settings}), encoding="utf-8")


def rename(path: Path, renamed: Callable[[str], str]) -> None:
    save_file({renamed(key): value for key, value in load_file(path).items()}, path)


def answer(target: Target) -> torch.Tensor:
    z = paired_noise(0, ["a"], target.latent_shape)
    return target.predict_noise(z, 100, ["a cat on a mat"], 3.0)


def as_lora_wraps(folder: Path) -> None:
    """Attention saved while a LoRA was attached: `to_q.base_layer.weight`."""
    rename(folder / UNET, lambda key: key.replace("to_q.weight", "to_q.base_layer.weight"))


def as_fused(folder: Path) -> None:
    """Queries, keys and values saved as one, as `fuse_qkv_projections` makes them."""
    weights = load_file(folder / UNET)
    for key in [key for key in weights if key.endswith("attn1.to_q.weight")]:
        parts = [weights.pop(key.replace("to_q", part)) for part in ("to_q", "to_k", "to_v")]
        weights[key.replace("to_q", "to_qkv")] = torch.cat(parts)
    save_file(weights, folder / UNET)


def wrapped_text(folder: Path) -> None:
    rename(folder / TEXT, lambda key: "module." + key)


def one_key_less(folder: Path) -> None:
    weights = load_file(folder / UNET)
    weights.pop("mid_block.resnets.0.conv1.weight")
    save_file(weights, folder / UNET)


def with_nan(folder: Path) -> None:
    weights = load_file(folder / UNET)
    weights["conv_in.bias"][0] = float("nan")
    save_file(weights, folder / UNET)


def a_flow_scheduler(folder: Path) -> None:
    diffusers.FlowMatchEulerDiscreteScheduler().save_pretrained(folder / "scheduler")
    change(folder / "model_index.json", scheduler=["diffusers", "FlowMatchEulerDiscreteScheduler"])


def a_latent_consistency_unet(folder: Path) -> None:
    models.unet(32, time_cond_proj_dim=8).save_pretrained(folder / "unet")


def a_unet_with_classes(folder: Path) -> None:
    models.unet(32, num_class_embeds=3).save_pretrained(folder / "unet")


def an_inpainting_unet(folder: Path) -> None:
    models.unet(32, in_channels=9).save_pretrained(folder / "unet")


def a_shifted_autoencoder(folder: Path) -> None:
    change(folder / "vae/config.json", shift_factor=0.1)


def not_square(folder: Path) -> None:
    change(folder / "unet/config.json", sample_size=[8, 16])


def no_size(folder: Path) -> None:
    change(folder / "unet/config.json", sample_size=None)


def only_pickles(folder: Path) -> None:
    weights = load_file(folder / UNET)
    (folder / UNET).unlink()
    torch.save(weights, (folder / UNET).with_suffix(".bin"))


def a_tokenizer_of_another(folder: Path) -> None:
    words = models.tokenizer()
    words.add_tokens([f"word{i}" for i in range(3)])
    words.save_pretrained(folder / "tokenizer")


def a_sentencepiece_model(folder: Path) -> None:
    shutil.rmtree(folder / "tokenizer")
    (folder / "tokenizer").mkdir()
    (folder / "tokenizer/spiece.model").write_bytes(b"\x0e not a model")
    change(folder / "model_index.json", tokenizer=["transformers", "T5Tokenizer"])


def another_pipeline(folder: Path) -> None:
    change(folder / "model_index.json", _class_name="KandinskyPipeline")


def a_class_of_its_own(folder: Path) -> None:
    change(folder / "model_index.json", unet=["evil", "Network"])


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (as_lora_wraps, r"missing \(.*to_q\.weight.*not used \(.*base_layer"),
        (as_fused, r"missing \(.*not used \(.*to_qkv"),
        (wrapped_text, r"text_encoder does not fit.*missing"),
        (
            one_key_less,
            r"1 missing \(mid_block\.resnets\.0\.conv1\.weight\); what is missing would",
        ),
        (with_nan, r"NaN or infinity in its weights \(conv_in\.bias\)"),
        (a_flow_scheduler, "FlowMatchEulerDiscreteScheduler .* expected a scheduler with betas"),
        (a_latent_consistency_unet, "guidance scale beside the time"),
        (a_unet_with_classes, "is told classes"),
        (an_inpainting_unet, "takes 9 channels"),
        (a_shifted_autoencoder, "shift_factor"),
        (not_square, r"got \[8, 16\]"),
        (no_size, "got None"),
        (only_pickles, "is a pickle.*convert it"),
        (a_tokenizer_of_another, "tokens up to .* belong together"),
        (a_sentencepiece_model, "pip install sentencepiece protobuf"),
        (another_pipeline, "is a KandinskyPipeline; expected one of StableDiffusionPipeline"),
        (a_class_of_its_own, r"evil\.Network as its unet, which miagym does not load"),
    ],
)
def test_what_would_load_wrong_is_refused(
    spoil: Callable[[Path], None], says: str, folder: Path
) -> None:
    spoil(folder)
    with pytest.raises(TargetError, match=says) as caught:
        load_target(str(folder))
    assert "\n" not in str(caught.value)


def as_variants(folder: Path) -> None:
    for path in list(folder.glob("*/*.safetensors")):
        path.rename(path.with_name(path.name.replace(".safetensors", ".fp16.safetensors")))


def as_shards(folder: Path) -> None:
    unet = diffusers.UNet2DConditionModel.from_pretrained(folder / "unet")
    shutil.rmtree(folder / "unet")
    unet.save_pretrained(folder / "unet", max_shard_size="300KB")
    assert len(list((folder / "unet").glob("*.safetensors"))) > 1


def with_other_files(folder: Path) -> None:
    """Variants that are passed over, whatever is in them."""
    (folder / "unet/diffusion_pytorch_model.fp16.safetensors").write_bytes(b"nonsense")
    (folder / "unet/diffusion_pytorch_model.non_ema.safetensors").write_bytes(b"nonsense")
    (folder / "unet/diffusion_pytorch_model.bin").write_bytes(b"nonsense")


def a_safety_checker_that_is_not_there(folder: Path) -> None:
    checker = ["stable_diffusion", "StableDiffusionSafetyChecker"]
    change(folder / "model_index.json", safety_checker=checker)


def no_length_of_prompts(folder: Path) -> None:
    config = folder / "tokenizer/tokenizer_config.json"
    content = json.loads(config.read_text(encoding="utf-8"))
    content.pop("model_max_length")
    config.write_text(json.dumps(content), encoding="utf-8")


def a_square_list(folder: Path) -> None:
    change(folder / "unet/config.json", sample_size=[8, 8])


def old_position_ids(folder: Path) -> None:
    weights = load_file(folder / TEXT)
    weights["text_model.embeddings.position_ids"] = torch.arange(77)[None]
    save_file(weights, folder / TEXT)


@pytest.mark.parametrize(
    "vary",
    [
        as_variants,
        as_shards,
        with_other_files,
        a_safety_checker_that_is_not_there,
        no_length_of_prompts,
        a_square_list,
        old_position_ids,
    ],
)
def test_what_is_written_in_another_way_answers_the_same(
    vary: Callable[[Path], None], folder: Path, made: Path
) -> None:
    vary(folder)
    torch.testing.assert_close(answer(load_target(str(folder))), answer(load_target(str(made))))


@pytest.mark.slow
def test_the_command_of_a_refused_pickle_converts_it(folder: Path, made: Path) -> None:
    expected = answer(load_target(str(made)))
    only_pickles(folder)
    with pytest.raises(TargetError) as caught:
        load_target(str(folder))
    command = str(caught.value).partition("safetensors first: ")[2]
    assert command.startswith("python -c ")
    subprocess.run(command.replace("python", sys.executable, 1), shell=True, check=True)
    torch.testing.assert_close(answer(load_target(str(folder))), expected)


def test_a_tiny_autoencoder(folder: Path) -> None:
    tiny: Any = diffusers.AutoencoderTiny(
        encoder_block_out_channels=(8, 8),
        decoder_block_out_channels=(8, 8),
        num_encoder_blocks=(1, 1),
        num_decoder_blocks=(1, 1),
    )
    tiny.save_pretrained(folder / "vae")
    change(folder / "model_index.json", vae=["diffusers", "AutoencoderTiny"])
    target = load_target(str(folder))
    image = paired_noise(0, ["a"], (3, 16, 16)).clamp(-1, 1)
    with torch.inference_mode():
        expected = tiny.eval().encode(image).latents
    torch.testing.assert_close(target.encode(image), expected, rtol=1e-4, atol=1e-5)


def test_a_model_of_a_hundred_timesteps_says_which(folder: Path) -> None:
    change(folder / "scheduler/scheduler_config.json", num_train_timesteps=100)
    target = load_target(str(folder))
    z = paired_noise(0, ["a"], target.latent_shape)
    with pytest.raises(TargetError, match=r"from 0 to 99, got 200.*sima\(timestep=10\)"):
        target.predict_noise(z, 200, ["a cat"])
    assert target.predict_noise(z, 99, ["a cat"]).isfinite().all()


def test_another_unet_and_another_autoencoder_are_put_on_a_model(
    folder: Path, made: Path, tmp_path: Path
) -> None:
    torch.manual_seed(1)
    models.unet(32).save_pretrained(tmp_path / "unet")
    models.autoencoder(scaling_factor=0.5).save_pretrained(tmp_path / "vae")
    with pytest.raises(TargetError, match=r"no whole model; put it on .* as in BASE\+"):
        load_target(str(tmp_path / "unet"))
    both = load_target(f"{folder}+{tmp_path / 'unet'}+{tmp_path / 'vae'}")
    base = load_target(str(made))
    assert both.fingerprint != base.fingerprint
    assert not torch.allclose(answer(both), answer(base), atol=1e-3)
    image = paired_noise(0, ["a"], (3, 16, 16)).clamp(-1, 1)
    assert not torch.allclose(both.encode(image), base.encode(image), atol=1e-3)


def test_another_scheduler_says_what_is_predicted(folder: Path, tmp_path: Path) -> None:
    """As the same model with that scheduler in its own folder answers."""
    models.ddim(prediction_type="v_prediction").save_pretrained(tmp_path / "scheduler")
    told = load_target(f"{folder}+{tmp_path / 'scheduler'}")
    models.ddim(prediction_type="v_prediction").save_pretrained(folder / "scheduler")
    assert torch.equal(answer(told), answer(load_target(str(folder))))
    diffusers.FlowMatchEulerDiscreteScheduler().save_pretrained(tmp_path / "flow")
    with pytest.raises(TargetError, match="FlowMatchEulerDiscreteScheduler"):
        load_target(f"{folder}+{tmp_path / 'flow'}")


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("{folder}+nowhere.safetensors:0.5", "no 'nowhere.safetensors:0.5' to put on"),
        ("clipart-realistic+nowhere", "no 'nowhere' to put on clipart-realistic"),
        ("{folder}+{folder}/unet/config.json:nan", "Expected a number as the scale of"),
        ("{folder}+{folder}/unet:0.5", "is a folder, which has no scale, got 0.5"),
        ("{folder}+{folder}", "is a whole model, which cannot be put on"),
        ("{folder}+{folder}/tokenizer", "holds nothing that miagym knows"),
        ("{folder}/unet/diffusion_pytorch_model.safetensors", "is not recognised"),
        ("{folder}/nothing.safetensors", "There is no folder or file"),
    ],
)
def test_names_that_put_nothing_on_a_model(name: str, says: str, folder: Path) -> None:
    with pytest.raises(MiagymError, match=says):
        load_target(name.format(folder=folder))


def test_a_folder_of_files_asks_which(tmp_path: Path) -> None:
    for name in ("a", "b"):
        save_file({"x": torch.zeros(2)}, tmp_path / f"{name}.safetensors")
    with pytest.raises(TargetError, match=r"holds 2 files .* name one of them, as in .*a\.safe"):
        load_target(str(tmp_path))
