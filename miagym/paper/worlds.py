"""Worlds in which the paper's experiments run: names, sizes, and what stands for what."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

from miagym.data.fetch.links import LAION_MI
from miagym.errors import DataError, SettingsError, UnknownName, option
from miagym.paper.settings import SETTINGS

PAPER_DRAWS = 5
"""Draws of noise that the paper averages."""


@dataclass(frozen=True)
class PaperWorld:
    """Targets, data and sizes of the experiments; the code is the same in every world.

    Args:
        name: of the world.
        target: the large model, trained on members of `data` once: Stable Diffusion 1.4 there.
        data: its members, and others like them; None if they are fetched from `links`.
        settings: of the sixteen, those that are run.
        links: table of links that is fetched where `data` is None.
        tuned: the model that memorises, with checkpoints; None if it is trained from `target`.
        tune_data: what it is fine-tuned on; None leaves its experiments out.
        checkpoints: epochs of `tuned` that are kept, besides its end.
        steps_between: steps of a fine-tuning from one checkpoint to the next.
        steps_trained: of the whole fine-tuning.
        draws: of noise, averaged.
        limit: at most so many members, and so many non-members, of each part of `data`.
        tune_limit: the same of `tune_data`.
        choose_on: members, and non-members, on which timesteps are chosen and classifiers learn.
        null_on: members, and non-members, about which the null target is asked, if there is one.
        generation_steps: DDIM steps of the black box.
        splits: random splits of a classifier.
        trees: of the random forest, to choose among.
        chunk: candidates at work at a time; all their answers are kept until it is done.
        batch_size: latents in one call of the target.
        device: "auto", "cpu", "cuda", "mps".
        dtype: "auto" is half precision on a CUDA GPU.
        allow_private: whether links may lead into a private network.

    Raises:
        SettingsError: for a number that is below 1.
        UnknownName: for a setting that is none of the sixteen.
    """

    name: str
    target: str
    data: str | None
    tuned: str | None
    tune_data: str | None
    checkpoints: tuple[int, ...] = ()
    settings: tuple[str, ...] = SETTINGS
    links: str = LAION_MI
    steps_between: int = 5_000
    steps_trained: int = 30_000
    draws: int = PAPER_DRAWS
    limit: int = 5_000
    tune_limit: int = 5_000
    choose_on: int = 1_000
    null_on: int = 100
    generation_steps: int = 50
    splits: int = 100
    trees: tuple[int, ...] = (10, 100, 1000)
    chunk: int = 16
    batch_size: int = 16
    device: str = "auto"
    dtype: str = "auto"
    allow_private: bool = False

    def __post_init__(self) -> None:
        for name in self.settings:
            if name not in SETTINGS:
                raise UnknownName("setting of the paper", name, SETTINGS)
        for each in fields(self):
            value = getattr(self, each.name)
            if type(value) is int and value < 1:
                option = each.name.replace("_", "-")
                raise SettingsError(f"Expected --{option} of at least 1, got {value}.")

    def under(self, **given: Any) -> PaperWorld:
        """The same world with what is given and not None.

        Raises:
            DataError: for a target without its data.
        """
        known = {name: value for name, value in given.items() if value is not None}
        if "target" in known and self.data is not None and "data" not in known:
            raise DataError(
                f"The {self.name} world's data are of {self.target}; name those of "
                f"{known['target']} too: {option('data')}."
            )
        return replace(self, **known)


EMBEDDED = PaperWorld(
    name="embedded",
    target="clipart-realistic",
    data="clipart",
    tuned="clipart-overfit",
    tune_data="clipart-tune",
    checkpoints=(15, 40, 80, 130),
    draws=1,
    limit=200,
    tune_limit=200,
    choose_on=80,
    null_on=25,
    generation_steps=4,
    splits=3,
    trees=(10,),
    chunk=64,
    batch_size=64,
)
"""The world in the package, cut to half an hour on two cores."""

STABLE_DIFFUSION = PaperWorld(
    name="stable-diffusion",
    target="CompVis/stable-diffusion-v1-4",
    data=None,
    tuned=None,
    tune_data=None,
)
"""The paper's own, under the paper's numbers where these are known."""

WORLDS = {world.name: world for world in (EMBEDDED, STABLE_DIFFUSION)}


def find_world(name: str) -> PaperWorld:
    """A world by name.

    Raises:
        UnknownName: if there is none.
    """
    if name not in WORLDS:
        raise UnknownName("world", name, list(WORLDS))
    return WORLDS[name]
