"""LoRAs and embeddings: applied as their files say, to the last key, or refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import diffusers
import pytest
import torch
from safetensors.torch import load_file, save_file

from miagym.errors import TargetError
from miagym.noise import paired_noise
from miagym.targets.pipeline.target import PipelineTarget
from miagym.targets.registry import load_target
from tests.targets import loras, models
from tests.targets.models import write

NAMINGS: dict[str, Callable[[Path], Path]] = {
    "peft": loras.peft,
    "diffusers": loras.diffusers_old,
    "kohya": loras.kohya,
    "peft by itself": loras.saved_by_peft,
    "peft by itself with alpha 1": lambda folder: loras.saved_by_peft(folder, 1.0),
    "kohya with alpha 1": lambda folder: loras.kohya(folder, 1.0),
}


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(models.stable_diffusion, tmp_path_factory.mktemp("base") / "model")


def loaded(name: str) -> PipelineTarget:
    target = load_target(name)
    assert isinstance(target, PipelineTarget)
    return target


def weights(target: PipelineTarget) -> dict[str, torch.Tensor]:
    return target.network.state_dict()


@pytest.fixture(scope="module")
def bare(base: Path) -> PipelineTarget:
    """The base without any LoRA, which tests only ask."""
    return loaded(str(base))


@pytest.mark.parametrize("naming", NAMINGS)
@pytest.mark.parametrize("scale", [1.0, 0.5, -1.0])
def test_a_lora_adds_what_the_paper_says(
    naming: str, scale: float, base: Path, bare: PipelineTarget, tmp_path: Path
) -> None:
    """W + scale * alpha / rank * up @ down, and no other weight of the UNet changes."""
    path = NAMINGS[naming](tmp_path)
    before, after = weights(bare), weights(loaded(f"{base}+{path}:{scale}"))
    added = loras.change(1.0 if "alpha 1" in naming else loras.RANK)
    assert before.keys() == after.keys()
    for key, old in before.items():
        change = added.get(key.removesuffix(".weight"))
        expected = old if change is None else old + scale * change
        torch.testing.assert_close(after[key], expected, rtol=1e-5, atol=1e-5)


def test_all_weights_have_gradients_as_those_of_a_model_without(
    base: Path, bare: PipelineTarget, tmp_path: Path
) -> None:
    """White-box attacks ask for them, and so does a training that goes on from here."""
    target = loaded(f"{base}+{loras.peft(tmp_path)}")
    z = paired_noise(0, ["a", "b"], target.latent_shape).unsqueeze(1)
    for each in (bare, target):
        norms = each.parameter_gradient_norms(z, [100], ["a cat", "a dog"], z)
        assert norms.shape[1] == len(list(bare.parameters())) and (norms > 0).float().mean() > 0.9


@pytest.mark.parametrize("naming", NAMINGS)
def test_at_scale_zero_it_is_the_base_to_the_bit(
    naming: str, base: Path, bare: PipelineTarget, tmp_path: Path
) -> None:
    without, zero = bare, loaded(f"{base}+{NAMINGS[naming](tmp_path)}:0")
    assert zero.fingerprint == without.fingerprint
    z = paired_noise(0, ["a"], without.latent_shape)
    assert torch.equal(
        zero.predict_noise(z, 100, ["a cat"]), without.predict_noise(z, 100, ["a cat"])
    )


def test_at_scale_one_it_answers_as_diffusers_fused(base: Path, tmp_path: Path) -> None:
    path = loras.kohya(tmp_path)
    target = loaded(f"{base}+{path}")
    pipeline = diffusers.StableDiffusionPipeline.from_pretrained(base, safety_checker=None)
    pipeline.load_lora_weights(str(path))
    pipeline.fuse_lora()
    z = paired_noise(0, ["a"], target.latent_shape)
    with torch.inference_mode():
        told, _ = pipeline.encode_prompt("a cat", "cpu", 1, False)
        expected = pipeline.unet(z, 100, told).sample
    torch.testing.assert_close(target.predict_noise(z, 100, ["a cat"]), expected)


def test_several_loras_add_up(base: Path, tmp_path: Path) -> None:
    path = loras.peft(tmp_path)
    twice, once = loaded(f"{base}+{path}:0.25+{path}:0.5"), loaded(f"{base}+{path}:0.75")
    for key, value in weights(once).items():
        torch.testing.assert_close(weights(twice)[key], value, rtol=1e-5, atol=1e-5)


def test_a_lora_of_the_text_encoder_alone_changes_what_is_told(
    base: Path, bare: PipelineTarget, tmp_path: Path
) -> None:
    without, with_text = bare, loaded(f"{base}+{loras.only_text(tmp_path)}")
    assert not torch.allclose(without.embed(["a cat"]), with_text.embed(["a cat"]), atol=1e-3)
    torch.testing.assert_close(weights(with_text), weights(without))


def test_a_plus_in_a_path_is_part_of_it(base: Path, bare: PipelineTarget, tmp_path: Path) -> None:
    path = loras.peft(tmp_path).rename(tmp_path / "a+b.safetensors")
    assert loaded(f"{base}+{path}:0.5").fingerprint != bare.fingerprint


def for_another_width(folder: Path) -> Path:
    return loras.peft(folder, width=8)


def empty(folder: Path) -> Path:
    return saved({}, folder)


def without_effect(folder: Path) -> Path:
    content = load_file(loras.peft(folder))
    return saved({k: v * ("lora_A" in k) for k, v in content.items()}, folder)


def half_a_layer(folder: Path) -> Path:
    content = load_file(loras.peft(folder))
    content.pop(f"unet.{loras.UNET}.to_q.lora_B.weight")
    return saved(content, folder)


def with_a_layer_that_is_not_there(folder: Path) -> Path:
    """The classical fault: what fits no layer is passed over, and nobody is told."""
    content = load_file(loras.peft(folder))
    up, down = loras.halves(16, 16, 5)
    content["unet.down_blocks.7.attentions.0.proj.lora_A.weight"] = down
    content["unet.down_blocks.7.attentions.0.proj.lora_B.weight"] = up
    return saved(content, folder)


def of_another_family(folder: Path) -> Path:
    up, down = loras.halves(16, 16, 5)
    name = "transformer.transformer_blocks.0.attn.to_q"
    return saved({f"{name}.lora_A.weight": down, f"{name}.lora_B.weight": up}, folder)


def a_loha(folder: Path) -> Path:
    return saved({"lora_unet_mid.hada_w1_a": torch.ones(2, 2)}, folder)


def with_other_keys(folder: Path) -> Path:
    return saved({**load_file(loras.peft(folder)), "note": torch.zeros(2)}, folder)


def of_other_things(folder: Path) -> Path:
    return saved({f"layer{i}.weight": torch.zeros(2, 2, 2) for i in range(4)}, folder)


def cut_off(folder: Path) -> Path:
    path = loras.peft(folder)
    path.write_bytes(path.read_bytes()[:1500])
    return path


def saved(content: dict[str, torch.Tensor], folder: Path) -> Path:
    save_file(content, folder / "odd.safetensors")
    return folder / "odd.safetensors"


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (for_another_width, "does not fit this model .*size mismatch"),
        (empty, "is empty"),
        (without_effect, "changes nothing"),
        (half_a_layer, "holds half a layer"),
        (with_a_layer_that_is_not_there, "only a part would be applied|does not fit this model"),
        (of_another_family, "only a part would be applied|does not fit this model"),
        (a_loha, "no plain LoRA: .*hada_w1_a"),
        (with_other_keys, "belong to no layer of a LoRA: note"),
        (of_other_things, "no LoRA in the naming of diffusers, peft or kohya"),
        (cut_off, "no whole safetensors file"),
    ],
)
def test_a_lora_that_would_not_be_applied_is_refused(
    make: Callable[[Path], Path], says: str, base: Path, tmp_path: Path
) -> None:
    with pytest.raises(TargetError, match=says) as caught:
        load_target(f"{base}+{make(tmp_path)}")
    assert "\n" not in str(caught.value)


def test_a_lora_is_no_model_by_itself(tmp_path: Path) -> None:
    with pytest.raises(TargetError, match=r"something to put on one .* as in BASE\+"):
        load_target(str(loras.peft(tmp_path)))


@pytest.mark.parametrize("kind", ["stable_diffusion_xl", "stable_diffusion_3"])
def test_loras_of_newer_families(kind: str, tmp_path: Path) -> None:
    base = write(getattr(models, kind), tmp_path / "base")
    target = loaded(str(base))
    part = "unet" if kind.endswith("xl") else "transformer"
    linear = [
        (name, layer)
        for name, layer in target.network.named_modules()
        if isinstance(layer, torch.nn.Linear) and name.endswith(("to_q", "to_k"))
    ]
    content = {}
    for seed, (name, layer) in enumerate(linear):
        up, down = loras.halves(layer.out_features, layer.in_features, seed)
        content[f"{part}.{name}.lora_A.weight"] = down
        content[f"{part}.{name}.lora_B.weight"] = up
    after = weights(loaded(f"{base}+{saved(content, tmp_path)}:0.1"))
    assert linear
    for seed, (name, layer) in enumerate(linear):
        up, down = loras.halves(layer.out_features, layer.in_features, seed)
        expected = layer.weight + 0.1 * up @ down
        torch.testing.assert_close(after[f"{name}.weight"], expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("key", ["<mat>", "emb_params"])
def test_a_learned_word(key: str, base: Path, bare: PipelineTarget, tmp_path: Path) -> None:
    """The word has the embedding that was learned; other captions are read as before."""
    learned = torch.full((2, 32), 0.5)
    path = tmp_path / "rug.safetensors"
    save_file({key: learned}, path)
    with_word, without = loaded(f"{base}+{path}"), bare
    word = "<mat>" if key == "<mat>" else "rug"
    encoder: Any = with_word.pipeline.text_encoder
    ids = with_word.pipeline.tokenizer.convert_tokens_to_ids([word, f"{word}_1"])
    torch.testing.assert_close(encoder.get_input_embeddings().weight[ids], learned)
    torch.testing.assert_close(with_word.embed(["a cat"]), without.embed(["a cat"]))
    assert not torch.allclose(with_word.embed([word]), without.embed([word]), atol=1e-3)
    with pytest.raises(TargetError, match=r"an embedding, which has no scale, got 0\.5"):
        load_target(f"{base}+{path}:0.5")
    save_file({key: torch.zeros(1, 48)}, path)
    with pytest.raises(TargetError, match="width 48, the text encoder of this model has 32"):
        load_target(f"{base}+{path}")


def with_metadata(folder: Path) -> Path:
    """As diffusers saves it: rank and alpha in the header, and none beside the weights."""
    content = load_file(loras.peft(folder))
    header = {"unet.r": loras.RANK, "unet.lora_alpha": 8 * loras.RANK}
    path = folder / "header.safetensors"
    save_file(content, path, metadata={"lora_adapter_metadata": json.dumps(header)})
    return path


def test_an_alpha_in_the_header_is_honoured(
    base: Path, bare: PipelineTarget, tmp_path: Path
) -> None:
    path = with_metadata(tmp_path)
    before, after = weights(bare), weights(loaded(f"{base}+{path}"))
    for name, change in loras.change(8 * loras.RANK).items():
        expected = before[f"{name}.weight"] + change
        torch.testing.assert_close(after[f"{name}.weight"], expected, rtol=1e-5, atol=1e-4)


def test_ranks_and_alphas_may_differ_by_layer(
    base: Path, bare: PipelineTarget, tmp_path: Path
) -> None:
    """diffusers gives the commonest alpha to all; kohya's files for convolutions have two."""
    content = load_file(loras.kohya(tmp_path, with_text=False))
    key = f"lora_unet_{loras.UNET.replace('.', '_')}_to_v"
    up, down = loras.halves(16, 16, 7)
    content[f"{key}.lora_up.weight"], content[f"{key}.lora_down.weight"] = up[:, :2], down[:2]
    content[f"{key}.lora_up.weight"] = up[:, :2].contiguous()
    content[f"{key}.alpha"] = torch.tensor(5.0)
    before, after = (
        weights(bare),
        weights(loaded(f"{base}+{saved(content, tmp_path)}")),
    )
    added = loras.change() | {f"{loras.UNET}.to_v": 5 / 2 * up[:, :2] @ down[:2]}
    for name, change in added.items():
        expected = before[f"{name}.weight"] + change
        torch.testing.assert_close(after[f"{name}.weight"], expected, rtol=1e-5, atol=1e-5)


def test_a_small_layer_that_is_passed_over_is_told(base: Path, tmp_path: Path) -> None:
    content = load_file(loras.peft(tmp_path))
    up, down = loras.halves(16, 16, 5)
    name = "unet.down_blocks.7.attentions.0.proj"
    content |= {f"{name}.lora_A.weight": 1e-3 * down, f"{name}.lora_B.weight": 1e-3 * up}
    with pytest.raises(TargetError, match=r"only a part would be applied: 1 of its 5 layers|fit"):
        load_target(f"{base}+{saved(content, tmp_path)}")


def test_a_change_behind_the_beginning_of_a_tensor_is_another_model(
    base: Path, bare: PipelineTarget, tmp_path: Path
) -> None:
    content = load_file(loras.peft(tmp_path))
    for key in content:
        if "lora_B" in key:
            content[key][:8] = 0
    changed = loaded(f"{base}+{saved(content, tmp_path)}")
    assert changed.fingerprint != bare.fingerprint


def test_a_word_in_capitals_is_told_how_to_be_called(base: Path, tmp_path: Path) -> None:
    save_file({"emb_params": torch.ones(3, 32)}, tmp_path / "MyStyle.safetensors")
    with pytest.raises(TargetError, match=r"in small letters.*call it 'mystyle'"):
        load_target(f"{base}+{tmp_path / 'MyStyle.safetensors'}")


def test_a_lora_that_peft_saved_needs_its_alpha(base: Path, tmp_path: Path) -> None:
    path = loras.saved_by_peft(tmp_path)
    with pytest.raises(TargetError, match=r"name the file itself, as in BASE\+.*adapter_model"):
        load_target(f"{base}+{tmp_path}")
    (tmp_path / "adapter_config.json").unlink()
    with pytest.raises(TargetError, match=r"says alpha in adapter_config\.json beside it"):
        load_target(f"{base}+{path}")


def test_a_home_folder_is_spelled_out(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loras.peft(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    there = loaded(f"{base}+~/peft.safetensors")
    assert there.fingerprint == loaded(f"{base}+{tmp_path / 'peft.safetensors'}").fingerprint
