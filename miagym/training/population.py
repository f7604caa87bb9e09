"""A population: many small LoRAs on one base, each trained on a random half of the same pictures.

It gives targets, shadow models and intervals between models at once, and a split on which whatever
sees no model is at chance exactly.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from miagym.data.dealt import FILE, ModelDeal, model_folder
from miagym.data.registry import load_data
from miagym.errors import RunError, option
from miagym.training.defences import UNDEFENDED, TrainingDefence
from miagym.training.fine_tune import fine_tune
from miagym.training.loop import StepProgress
from miagym.training.lora import Kind
from miagym.training.plan import FineTuning


@dataclass(frozen=True)
class PopulationPlan:
    """Plan of a population: base, data, how many models, and how each is trained.

    The defaults are those of the embedded population, found by trials on the embedded base.
    """

    base: str
    data: str
    models: int = 32
    pictures: int = 80
    """How many are dealt; each model is trained on half of them."""
    epochs: int = 40
    batch_size: int = 8
    learning_rate: float = 1e-2
    lora_rank: int | None = 6
    """None trains the whole denoiser of each, which takes as much room as the base."""
    lora_layers: Kind = "convolutions"
    seed: int = 0
    defence: TrainingDefence = UNDEFENDED
    others: str | None = None
    """Of smp, as in `FineTuning`; `data` itself has those that are not dealt."""

    def fine_tuning(self, folder: Path, model: int) -> FineTuning:
        """The training of one model, by its number from 0."""
        return FineTuning(
            base=self.base,
            data=str(model_folder(folder, model)),
            epochs=self.epochs,
            checkpoints=(),
            batch_size=self.batch_size,
            learning_rate=self.learning_rate,
            seed=self.seed + model,
            lora_rank=self.lora_rank,
            lora_layers=self.lora_layers,
            lora_half=True,
            defence=self.defence,
            others=self.others,
        )


def train_population(
    plan: PopulationPlan, out: Path, device: str, progress: StepProgress
) -> list[Path]:
    """Trains a population, or what is left of it; more models may be added to one that is there.

    Args:
        plan: base, data, models.
        out: its folder: population.json, which records the deal, and a folder for each model.
        device: "auto", "cpu" or "cuda".
        progress: shows how far each training is.

    Returns:
        The folders of the models, each a target and the data that belong to it.

    Raises:
        UnknownName: if there is no such base or data.
        DataError: if there are too few pictures, or the record of the deal is broken.
        RunError: if `out` holds another population, or something else, or the plan is none.
    """
    deal = ModelDeal.new(
        plan.base, plan.data, load_data(plan.data), plan.models, plan.pictures, plan.seed
    )
    trainings = [plan.fine_tuning(out, model) for model in range(plan.models)]  # or a refusal
    _begin(out, deal)
    folders = [model_folder(out, model) for model in range(plan.models)]
    for training, folder in zip(trainings, folders, strict=True):
        fine_tune(training, folder, device, progress)
    return folders


def _begin(out: Path, deal: ModelDeal) -> None:
    """Writes the deal, unless the folder holds it already, or one of fewer models."""
    if not out.exists() or (out.is_dir() and not any(out.iterdir())):
        deal.write(out)
        return
    if not (out / FILE).is_file():
        raise RunError(
            f"{out} is there already and holds no population of miagym; choose another "
            f"{option('out')}."
        )
    there = ModelDeal.read(out)
    if (there.data_digest, there.seed, there.rows) != (deal.data_digest, deal.seed, deal.rows):
        raise RunError(
            f"{out} holds another population, of other pictures or another seed; choose another "
            f"{option('out')}, or delete it."
        )
    if len(deal) > len(there):
        deal.write(out)
