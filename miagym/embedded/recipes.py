"""Training recipes of the embedded targets: drawings, epochs and starting weights."""

# diffusers and transformers annotate what is configurable only roughly:
# pyright: reportArgumentType=false, reportAttributeAccessIssue=false

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pyarrow.compute as pc
import torch

from miagym.embedded import art
from miagym.embedded.bases import BASES, train_bases
from miagym.embedded.families import FAMILY_RECIPES, train_family
from miagym.embedded.pairings import DEALT
from miagym.embedded.worlds import SEED, WORLDS, untrained
from miagym.errors import UnknownName
from miagym.targets.families.stable_diffusion import StableDiffusion
from miagym.targets.loading.device import choose_device
from miagym.targets.loading.pipelines import load_pipeline
from miagym.targets.registry import POPULATION, find_target
from miagym.training.diffusion import DENOISER, TEXT, Keep, Training, train_diffusion
from miagym.training.latents import encode_mirrored
from miagym.training.loop import StepProgress
from miagym.training.population import PopulationPlan, train_population
from miagym.training.saving import save_checkpoint, save_pipeline


@dataclass(frozen=True)
class Recipe:
    """Recipe of an embedded target's training."""

    roles: tuple[str, ...]
    """Drawings with these roles are its training set, and so its members."""
    epochs: int
    learning_rate: float
    start_from: str | None = None
    """The target whose weights it begins with; None begins from nothing."""
    checkpoints: tuple[int, ...] = ()
    """Epochs after which the UNet is kept."""
    world: str = "clipart"
    """Of `worlds.WORLDS`."""
    ema_decay: float = 0.995


RECIPES = {
    "clipart-realistic": Recipe(("base-member",), epochs=25, learning_rate=1.5e-3),
    "clipart-null": Recipe(
        ("spare", "tune-member", "tune-nonmember"), epochs=36, learning_rate=1.5e-3
    ),
    "clipart-overfit": Recipe(
        ("tune-member",),
        epochs=180,
        learning_rate=2e-3,
        start_from="clipart-realistic",
        checkpoints=(15, 40, 80, 130),
    ),
    "icons-realistic": Recipe(
        ("base-member",), epochs=130, learning_rate=1.5e-3, world="icons", ema_decay=0.999
    ),
    "icons-overfit": Recipe(
        ("tune-member",),
        epochs=80,
        learning_rate=1.5e-3,
        start_from="icons-realistic",
        checkpoints=(40,),
        world="icons",
    ),
}
"""A base sees each drawing a few dozen times, augmented; the overfit fine-tune sees few drawings
hundreds of times, as they are."""


def train_target(name: str, out: Path, device: str, progress: StepProgress) -> Path:
    """Trains an embedded target, and what it starts from, unless `out` holds that already.

    Args:
        name: of a recipe.
        out: holds one diffusers folder for each finished target, and states of unfinished ones.
        device: "auto", "cpu" or "cuda".
        progress: shows how far it is.

    Returns:
        The folder of the target.

    Raises:
        UnknownName: if there is no such recipe.
    """
    folder, known = out / name, [*RECIPES, *FAMILY_RECIPES, POPULATION, BASES]
    if name not in known:
        raise UnknownName("recipe", name, known)
    if name == POPULATION:  # on the base in the package, whose name its records hold
        train_population(PopulationPlan("clipart-realistic", DEALT), folder, device, progress)
        return folder
    if name == BASES:
        null = load_pipeline(find_target("clipart-null"), torch.device("cpu"), torch.float32)
        return train_bases(null, out, device, progress)
    if (folder / "model_index.json").is_file():
        return folder
    if name in FAMILY_RECIPES:
        start = str(train_target("clipart-realistic", out, device, progress))
        base = load_pipeline(find_target(start), torch.device("cpu"), torch.float32)
        return train_family(name, base, out, device, progress)
    recipe, where = RECIPES[name], choose_device(device)
    if recipe.start_from is None:
        pipeline = untrained(recipe.world, out, where, progress)
    else:
        start = str(train_target(recipe.start_from, out, device, progress))
        pipeline = load_pipeline(find_target(start), where, torch.float32)
    drawings = art.table(recipe.world).filter(pc.field("role").isin(recipe.roles))
    training = Training(
        encode_mirrored(pipeline.vae, art.pixels(drawings), where),
        drawings["caption"].to_pylist(),
        recipe.epochs,
        recipe.learning_rate,
        augment=recipe.start_from is None,
        thin=recipe.start_from is None and WORLDS[recipe.world].thins_captions,
        train_text=recipe.start_from is None,
        ema_decay=recipe.ema_decay,
    )

    def keep(epoch: int) -> Keep:
        return lambda parts: save_checkpoint(parts.get_submodule(DENOISER), folder, epoch)

    target = StableDiffusion(pipeline, name)
    averaged = train_diffusion(
        training,
        target,
        SEED,
        out / "states" / f"{name}.safetensors",
        progress,
        name,
        {epoch: keep(epoch) for epoch in recipe.checkpoints},
    )
    pipeline.unet = averaged.get_submodule(DENOISER)
    if training.train_text:
        pipeline.text_encoder = averaged.get_submodule(TEXT)
    save_pipeline(pipeline, folder)
    return folder
