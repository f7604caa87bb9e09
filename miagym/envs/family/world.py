"""Targets of a family, each loaded when it is first asked, or when the family is a list at once."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Self

from miagym.envs.family.split import FamilySplit
from miagym.envs.settings import Settings
from miagym.envs.world import World, check_beside, load_models
from miagym.errors import SettingsError
from miagym.targets.base import Target
from miagym.targets.registry import shared_target


@dataclass(frozen=True, eq=False)
class FamilyWorld(World):
    """Targets and candidates of one split of a family.

    `target` is the family's first, whatever the split: its text encoder reads all captions, since
    token ids that differ by the target would tell which one is asked.
    """

    split: FamilySplit
    settings: Settings
    _loaded: dict[int, Target] = field(default_factory=dict)
    _seen: dict[str, str] = field(default_factory=dict)
    """Fingerprints by name."""

    @classmethod
    def load(cls, settings: Settings) -> Self:
        """Loads what the settings name: a whole list of targets, of a population the first.

        Raises:
            TargetError, DataError: if it cannot be loaded.
            SettingsError: if targets do not go together, or one cannot serve the access level, or
                the reference cannot stand beside it.
        """
        family = settings.family
        assert family is not None
        target, reference = load_models(settings)
        split = FamilySplit(family, settings.split, target.resolution)
        found = cls(target, reference, split, settings)
        if family.deal is None:
            for model in range(len(split.models)):
                found.about(model)
            found._check_strangers()
        return found

    def about(self, model: int) -> Target:
        """Target by its number within the split.

        Raises:
            TargetError, SettingsError: as in `load`.
        """
        if model not in self._loaded:
            name = self.split.family.targets[self.split.models[model]]
            target = shared_target(name, self.settings.device)
            self._check(target)
            self._loaded[model] = target
        return self._loaded[model]

    def _check_strangers(self) -> None:
        """The targets of other splits are others, too."""
        for model in set(range(len(self.split.family.targets))) - set(self.split.models.tolist()):
            name = self.split.family.targets[model]
            self._check_different(shared_target(name, self.settings.device))

    def _check(self, target: Target) -> None:
        """A target is another than those before it, is shown the same, and answers the same."""
        self.settings.check_gradients(target)
        if self.reference is not None:
            check_beside(self.reference, target, self.settings)
        self._check_different(target)
        ours, theirs = (
            (one.resolution, one.tokenize([""]).shape[1]) for one in (self.target, target)
        )
        if ours != theirs:
            raise SettingsError(
                f"{target.name} works on {theirs[0]} pixels a side and {theirs[1]} tokens, and "
                f"{self.target.name} on {ours[0]} and {ours[1]}; a family has targets of one size."
            )

    def _check_different(self, target: Target) -> None:
        """A target has other weights than all those before it, of whichever split."""
        for name, other in self._seen.items():
            if target.fingerprint and other == target.fingerprint:
                raise SettingsError(
                    f"{target.name} and {name} have the same weights, and a family has different "
                    "targets; leave one out."
                )
        self._seen[target.name] = target.fingerprint
