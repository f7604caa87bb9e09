"""Checkpoints in a single file, in the names of the first training code."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from pathlib import Path

import diffusers
import pytest
import torch
from safetensors.torch import load_file, save_file

from miagym.errors import TargetError
from miagym.noise import paired_noise
from miagym.targets.loading.single.clip_words import clip_tokenizer
from miagym.targets.loading.single.recognise import INPUT, WIDTH, configuration_of
from miagym.targets.loading.weights import shapes_in
from miagym.targets.registry import load_target, target_resolution
from miagym.targets.schedule import Predicts
from tests.targets import models, single_files
from tests.targets.models import write


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(models.stable_diffusion, tmp_path_factory.mktemp("base") / "model")


@pytest.fixture
def file(base: Path, tmp_path: Path) -> Path:
    pipeline = diffusers.StableDiffusionPipeline.from_pretrained(base, safety_checker=None)
    extra = {"model_ema.decay": torch.zeros(1), "betas": torch.zeros(1000)}
    return single_files.write(pipeline, tmp_path / "model.safetensors", **extra)


def test_a_single_file_answers_as_its_folder_to_the_bit(base: Path, file: Path) -> None:
    single, folder = load_target(f"{file}+{base}"), load_target(str(base))
    assert single.fingerprint == folder.fingerprint
    assert target_resolution(f"{file}+{base}") == single.resolution == 16
    z = paired_noise(0, ["a"], single.latent_shape)
    assert torch.equal(
        single.predict_noise(z, 100, ["a cat"]), folder.predict_noise(z, 100, ["a cat"])
    )
    image = paired_noise(0, ["a"], (3, 16, 16)).clamp(-1, 1)
    assert torch.equal(single.encode(image), folder.encode(image))


def without(key: str) -> Callable[[Path], None]:
    def spoil(path: Path) -> None:
        content = load_file(path)
        content.pop(key)
        save_file(content, path)

    return spoil


def more(path: Path) -> None:
    extra = {"model.diffusion_model.extra.weight": torch.zeros(3, 3)}
    save_file({**load_file(path), **extra}, path)


def with_nan(path: Path) -> None:
    content = load_file(path)
    content["model.diffusion_model.out.2.bias"][0] = float("nan")
    save_file(content, path)


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (
            without("model.diffusion_model.middle_block.0.in_layers.2.weight"),
            r"unet does not fit.*1 missing \(mid_block\.resnets\.0\.conv1\.weight\)",
        ),
        (
            without("first_stage_model.decoder.mid.attn_1.q.weight"),
            r"vae does not fit.*1 missing \(decoder",
        ),
        (
            without("cond_stage_model.transformer.text_model.encoder.layers.1.mlp.fc1.weight"),
            r"text_encoder does not fit.*1 missing \(encoder\.layers\.1\.mlp\.fc1\.weight\)",
        ),
        (more, "holds 203,213 numbers for its unet, of which 203,204 were expected"),
        (with_nan, "NaN or infinity"),
    ],
)
def test_a_file_that_does_not_fill_its_networks_is_refused(
    spoil: Callable[[Path], None], says: str, base: Path, file: Path
) -> None:
    spoil(file)
    with pytest.raises(TargetError, match=says):
        load_target(f"{file}+{base}")


def as_pickle(path: Path) -> None:
    torch.save({"a": torch.zeros(2)}, path)


def cut_off(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:100_000])


def enormous(path: Path) -> None:
    tensor = {"dtype": "F32", "shape": [10**12], "data_offsets": [0, 4 * 10**12]}
    header = json.dumps({"a": tensor}).encode()
    path.write_bytes(struct.pack("<Q", len(header)) + header)


def of_text(path: Path) -> None:
    path.write_text("not weights at all", encoding="utf-8")


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (as_pickle, "is a pickle, which may run any code"),
        (cut_off, "no whole safetensors file"),
        (enormous, "no whole safetensors file"),
        (of_text, "no whole safetensors file"),
    ],
)
def test_a_broken_file_is_refused_before_anything_is_read(
    spoil: Callable[[Path], None], says: str, file: Path
) -> None:
    spoil(file)
    with pytest.raises(TargetError, match=says):
        target_resolution(str(file))


def header_of(path: Path, width: int, channels: int = 4, block: int = 1) -> Path:
    """A file with the two tensors by which a family is recognised, and some others."""
    shapes = {WIDTH.format(block): (4, width), INPUT: (4, channels, 3, 3), "c": (1,)}
    save_file({key: torch.zeros(shape) for key, shape in shapes.items()}, path)
    return path


def test_families_are_recognised_by_their_shapes(tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    assert configuration_of(header_of(path, 768)).name == "stable-diffusion-1"
    assert configuration_of(header_of(path, 2048, block=4)).name == "stable-diffusion-xl"
    assert target_resolution(str(header_of(path, 768))) == 512
    assert target_resolution(str(header_of(path, 2048, block=4))) == 1024
    for width, channels, says in (
        (1024, 4, "Stable Diffusion 2.x, which predicts noise or velocity"),
        (768, 9, "takes 9 channels"),
        (555, 4, "text of width 555"),
    ):
        with pytest.raises(TargetError, match=says):
            configuration_of(header_of(path, width, channels))
    save_file({str(i): torch.zeros(2) for i in range(4)}, path)
    with pytest.raises(TargetError, match="keys are of no UNet"):
        configuration_of(path)


def test_the_configurations_that_ship_have_the_published_sizes() -> None:
    """Parameters as the model cards count them."""
    expected = {
        "stable-diffusion-1": {"unet": 859_520_964, "vae": 83_653_863},
        "stable-diffusion-xl": {"unet": 2_567_463_684, "vae": 83_653_863},
    }
    for name, parts in expected.items():
        folder = configuration_folder(name)
        for part, size in parts.items():
            kind = {"unet": diffusers.UNet2DConditionModel, "vae": diffusers.AutoencoderKL}[part]
            with torch.device("meta"):
                network = kind.from_config(kind.load_config(folder / part))
            assert sum(p.numel() for p in network.parameters()) == size


def test_the_tokenizer_that_ships_is_clips() -> None:
    """Token ids as OpenAI's own tokenizer gives them."""
    folder = configuration_folder("stable-diffusion-1")
    words = clip_tokenizer(folder / "tokenizer/tokenizer_config.json")
    assert len(words) == 49408
    ids = words("a photo of a cat").input_ids
    assert ids == [49406, 320, 1125, 539, 320, 2368, 49407]
    second = configuration_folder("stable-diffusion-xl") / "tokenizer_2/tokenizer_config.json"
    padded = clip_tokenizer(second)("cat", padding="max_length", max_length=5).input_ids
    assert padded == [49406, 2368, 49407, 0, 0]


def configuration_folder(name: str) -> Path:
    from importlib.resources import files

    return Path(str(files("miagym").joinpath("assets/configurations", name)))


def test_another_autoencoder_and_unet_take_the_place_of_the_files_own(
    base: Path, file: Path, tmp_path: Path
) -> None:
    torch.manual_seed(5)
    models.autoencoder().save_pretrained(tmp_path / "vae")
    models.unet(32).save_pretrained(tmp_path / "unet")
    own = load_target(f"{file}+{base}")
    other = load_target(f"{file}+{base}+{tmp_path / 'vae'}+{tmp_path / 'unet'}")
    image = paired_noise(0, ["a"], (3, 16, 16)).clamp(-1, 1)
    z = paired_noise(0, ["a"], own.latent_shape)
    assert not torch.allclose(own.encode(image), other.encode(image), atol=1e-3)
    answers = [target.predict_noise(z, 100, ["a cat"]) for target in (own, other)]
    assert not torch.allclose(*answers, atol=1e-3)


def test_a_file_without_an_autoencoder_takes_another(
    base: Path, file: Path, tmp_path: Path
) -> None:
    content = load_file(file)
    save_file({k: v for k, v in content.items() if not k.startswith("first_stage")}, file)
    with pytest.raises(TargetError, match="holds not all networks"):
        load_target(f"{file}+{base}")
    assert load_target(f"{file}+{base}+{base / 'vae'}").resolution == 16


@pytest.mark.parametrize("prefix", ["", "first_stage_model.", "diffusers"])
def test_an_autoencoder_in_a_file_is_put_on_a_model(
    prefix: str, base: Path, file: Path, tmp_path: Path
) -> None:
    torch.manual_seed(5)
    other = diffusers.StableDiffusionPipeline.from_pretrained(base, safety_checker=None)
    other.vae = models.autoencoder()
    path = tmp_path / "vae.safetensors"
    if prefix == "diffusers":
        save_file(other.vae.state_dict(), path)
    else:
        single_files.autoencoder(other, path, prefix)
    other.save_pretrained(tmp_path / "other")
    image = paired_noise(0, ["a"], (3, 16, 16)).clamp(-1, 1)
    expected = load_target(str(tmp_path / "other")).encode(image)
    for name in (f"{base}+{path}", f"{file}+{base}+{path}"):
        torch.testing.assert_close(load_target(name).encode(image), expected, rtol=0, atol=1e-6)


def test_an_autoencoder_that_lacks_a_tensor_is_refused(base: Path, tmp_path: Path) -> None:
    pipeline = diffusers.StableDiffusionPipeline.from_pretrained(base, safety_checker=None)
    path = single_files.autoencoder(pipeline, tmp_path / "vae.safetensors")
    without("decoder.conv_out.weight")(path)
    with pytest.raises(TargetError, match=r"vae.safetensors.*decoder\.conv_out\.weight"):
        load_target(f"{base}+{path}")
    more_of_it = single_files.autoencoder(pipeline, tmp_path / "more.safetensors")
    save_file({**load_file(more_of_it), "decoder.more.weight": torch.zeros(3)}, more_of_it)
    with pytest.raises(TargetError, match="numbers for its autoencoder"):
        load_target(f"{base}+{more_of_it}")
    with pytest.raises(TargetError, match="is an autoencoder, which has no scale"):
        load_target(f"{base}+{path}:0.5")


def test_a_file_that_says_it_predicts_velocity_is_not_read_as_noise(
    base: Path, file: Path, tmp_path: Path
) -> None:
    save_file({**load_file(file), "v_pred": torch.zeros(0)}, file)
    with pytest.raises(TargetError, match="'v_pred' that it does not predict plain noise"):
        load_target(f"{file}+{base}")
    path = header_of(tmp_path / "xl.safetensors", 2048, block=4)
    save_file({**load_file(path), "v_pred": torch.zeros(0)}, path)
    with pytest.raises(TargetError, match="'v_pred' that it does not predict noise as others"):
        configuration_of(path)
    assert configuration_of(path, has_scheduler=True).name == "stable-diffusion-xl"
    models.ddim(prediction_type="v_prediction").save_pretrained(tmp_path / "velocity")
    told = load_target(f"{file}+{base}+{tmp_path / 'velocity'}")
    assert told.predicts == Predicts.VELOCITY


def test_a_good_file_is_no_pickle_whatever_the_length_of_its_header(tmp_path: Path) -> None:
    """A header of 640 bytes begins as a pickle does: 80 02."""
    header = json.dumps({"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}})
    text = header.encode().ljust(640)
    path = tmp_path / "x.safetensors"
    path.write_bytes(struct.pack("<Q", len(text)) + text + bytes(4))
    assert path.read_bytes()[:2] == b"\x80\x02"
    assert shapes_in(path, "x") == {"a": (1,)}
