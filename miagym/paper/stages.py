"""The runs of the paper, each an ordinary run folder that `miagym evaluate` might have made."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from miagym.api.run import Run
from miagym.api.run_config import run_config
from miagym.evaluation.config import Config, Match
from miagym.oracle.posterior import Posterior
from miagym.paper.settings import baseline, text_to_image, three_attacks, under_all_signals
from miagym.paper.worlds import PaperWorld
from miagym.progress import Progress

LARGE, TUNED, CHECKPOINTS = "large-model", "fine-tuned", "checkpoints"
"""Names of the runs, and of their folders."""


@dataclass(frozen=True)
class Places:
    """Where the models and data of a world are, once it is set up.

    Args:
        target: the large model.
        data: its members, and others.
        tuned: checkpoints of the fine-tuned model, its end last; none if it is left out.
        tune_data: what it learned, and others.
    """

    target: str
    data: str
    tuned: tuple[str, ...] = ()
    tune_data: str | None = None


@dataclass(frozen=True)
class Stage:
    """One run: attacks on targets, with the sizes of its world.

    Args:
        name: of its folder.
        pairs: targets and their data.
        attacks: by name.
        limit: at most so many members, and so many non-members, of each part.
        all_variants: whether all timesteps are scored on the test part, as the paper does.
    """

    name: str
    pairs: tuple[tuple[str, str], ...]
    attacks: tuple[str, ...]
    limit: int
    all_variants: bool

    def config(self, world: PaperWorld, seed: int) -> Config:
        """What `miagym.evaluate` is given."""
        return Config(
            matches=tuple(Match(target, data, self.attacks) for target, data in self.pairs),
            seed=seed,
            limit=self.limit,
            choose_on=min(world.choose_on, self.limit),
            null_on=world.null_on,
            paper=self.all_variants,
            chunk=world.chunk,
            batch_size=world.batch_size,
            device=world.device,
            dtype=world.dtype,
            posterior=str(Posterior.SAMPLE),
        )

    def run(
        self,
        world: PaperWorld,
        out: Path,
        seed: int,
        command: str,
        progress: Progress,
        tell: Callable[[str], None],
    ) -> Run:
        """Runs it in its folder, or goes on there, or reads what it holds."""
        config = self.config(world, seed)
        return run_config(config, None, out / self.name, command, progress, tell)


def stages_of(world: PaperWorld, places: Places) -> tuple[Stage, ...]:
    """The runs of a world, in the order in which they are made."""
    large = (places.target, places.data)
    ladder = tuple((target, places.tune_data or "") for target in places.tuned)
    black_box = text_to_image(world.draws, world.generation_steps)
    settings = (*under_all_signals(world.settings, world.draws), black_box)
    stages = [Stage(LARGE, (large,), settings, world.limit, True)]
    if ladder:
        few = (*three_attacks(world.draws), black_box)
        loss = (baseline(world.draws),)
        stages.append(Stage(TUNED, ladder[-1:], few, world.tune_limit, True))
        stages.append(Stage(CHECKPOINTS, ladder, loss, world.tune_limit, False))
    return tuple(stages)
