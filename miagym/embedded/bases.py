"""Many bases of the embedded world, each trained from nothing on its own half of the drawings.

What is said of one large model at chance is said of a model; of eight, dealt at random, of a kind.
"""

# diffusers annotates what is configurable only roughly:
# pyright: reportArgumentType=false

from __future__ import annotations

from pathlib import Path

from diffusers import StableDiffusionPipeline

from miagym.data.registry import load_data
from miagym.embedded.families import begin_untrained
from miagym.embedded.worlds import SEED
from miagym.metrics.groups.clusters import group_numbers
from miagym.training.defences import TrainingDefence
from miagym.training.loop import StepProgress
from miagym.training.population import PopulationPlan, train_population
from miagym.training.unet import new_unet

BASES = "clipart-bases"
DATA, MODELS = "clipart", 8


def untrained_base(null: StableDiffusionPipeline) -> StableDiffusionPipeline:
    """A fresh UNet on the autoencoder and the text encoder of a target that saw other drawings."""
    components = {**null.components, "unet": new_unet()}
    return StableDiffusionPipeline(**components, requires_safety_checker=False)


def train_bases(
    null: StableDiffusionPipeline, out: Path, device: str, progress: StepProgress
) -> Path:
    """Trains the bases, or what is left of them: all of each UNet, mirrored, some 25 epochs.

    Args:
        null: `clipart-null`, whose text encoder knows neither side of `clipart`.
        out: holds the untrained pipeline as well.
        device: "auto", "cpu" or "cuda".
        progress: shows how far it is.

    Returns:
        The folder of the population, as `miagym population` takes it.
    """
    data = load_data(DATA)
    pictures = len(data) if data.groups is None else int(group_numbers(data.groups).max()) + 1
    plan = PopulationPlan(
        str(begin_untrained(BASES, untrained_base, null, out)),
        DATA,
        models=MODELS,
        pictures=pictures,
        epochs=25,
        batch_size=32,
        learning_rate=1.5e-3,
        lora_rank=None,
        seed=SEED,
        defence=TrainingDefence(mirror=True),
    )
    train_population(plan, out / BASES, device, progress)
    return out / BASES
