"""The oracle: checks access, charges, and only then lets a question through to the target."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence

import numpy as np
import torch
from torch import Tensor

from miagym.candidates import Candidates
from miagym.errors import AccessDenied, BudgetError, DataError, TargetError, check_whole
from miagym.noise import noise_of_seeds, paired_noise, row_seed
from miagym.oracle import black_box, grey_box, white_box
from miagym.oracle.access import Access
from miagym.oracle.budget import Budget, Cost, Meter
from miagym.oracle.cache import Cache
from miagym.oracle.defences import Defence
from miagym.oracle.latents import KeptLatents
from miagym.oracle.posterior import Posterior
from miagym.oracle.shadows import Shadows
from miagym.oracle.transfer import sent
from miagym.targets.base import FINAL, Target, Timesteps
from miagym.targets.memory import in_parts
from miagym.targets.rows import ForEach, for_each


class Oracle:
    """Answers questions about candidates, under an access level and a budget.

    Every question names the candidates it is about, row by row: they pay for it. Equal questions
    have equal answers, whoever asks, in whatever batch.

    Args:
        target: the model that is asked, or its name.
        access: what may be asked, or its name.
        queries: answers that one candidate may be asked for; no limit by default.
        budget: what one candidate may cost, where `queries` alone does not say it.
        seed: of all noise.
        cache: shared by oracles whose attacks may profit from each other's answers.
        batch_size: rows in one call of the target.
        variation: whether the black box varies images too, or only follows prompts.
        reference: an oracle to a public model, for attacks that calibrate by it.
        shadows: models trained like the target on known pictures, for attacks that compare.
        posterior: what a picture is encoded to: the "mean" of the encoder's posterior, or a
            "sample" by paired noise, one a candidate, as the seed paper's scripts draw one.
        defence: what is done to pictures before the black box hands them out, such as "jpeg:60".
        latents: where means of the posterior are kept, and read from instead of encoding.

    Raises:
        UnknownName: if no target or access level has this name.
        SettingsError: if there is no such defence, or a number is too small.
        BudgetError: if both `queries` and `budget` are given, or could never pay for a question.
    """

    def __init__(
        self,
        target: Target | str,
        access: Access | str = Access.WHITE,
        *,
        queries: int | None = None,
        budget: Budget | None = None,
        seed: int = 0,
        cache: Cache | None = None,
        batch_size: int = 64,
        variation: bool = True,
        reference: Oracle | None = None,
        shadows: Shadows | None = None,
        posterior: str = Posterior.MEAN,
        defence: Defence | str = "",
        latents: KeptLatents | None = None,
    ) -> None:
        if queries is not None and budget is not None:
            raise BudgetError("Give an oracle `queries` or a `budget`, not both.")
        self.access = Access.of(access)
        self.meter = Meter(Budget(queries) if budget is None else budget)
        self._target = _target_named(target) if isinstance(target, str) else target
        self.seed = seed
        self.cache = Cache() if cache is None else cache
        check_whole(1, batch_size=batch_size)
        check_whole(0, seed=seed)
        self.batch_size = batch_size
        self.variation = variation
        self.reference = reference
        self.shadows = shadows
        self.posterior = Posterior.named(posterior)
        self.defence = Defence.named(defence) if isinstance(defence, str) else defence
        self.latents = latents

    # Questions: the oracle's methods stand in one file for each access that they need.

    generate = black_box.generate
    vary = black_box.vary
    inpaint = black_box.inpaint
    encode = grey_box.encode
    decode = grey_box.decode
    decoder_gradient = grey_box.decoder_gradient
    embed = grey_box.embed
    predict_noise = grey_box.predict_noise
    latent_gradient = white_box.latent_gradient
    pixel_gradient = white_box.pixel_gradient
    embedding_gradient = white_box.embedding_gradient
    parameter_gradient_norms = white_box.parameter_gradient_norms

    # What anyone knows of a published model: free, asks nothing.

    @property
    def alphas_cumprod(self) -> Tensor:
        """ab_t for t = 0 .. T - 1, float64 on the CPU; a flow has that of equal SNR."""
        return self._target.schedule.alphas_cumprod

    def timesteps(self, steps: int) -> list[int]:
        """The descending timesteps of DDIM sampling in so many steps."""
        return self._target.timesteps(steps)

    def add_noise(self, z0: Tensor, noise: Tensor, timestep: Timesteps) -> Tensor:
        """z_t = a_t z0 + s_t eps; a_t² = ab_t, s_t² = 1 - ab_t unless the model is a flow."""
        return self._target.add_noise(z0, noise, timestep)

    def ddim_move(self, z: Tensor, eps: Tensor, start: int, end: int) -> Tensor:
        """A deterministic DDIM step from `start` to `end`, up or down, given E(z, start)."""
        for timestep in (start, end):
            if timestep != FINAL:
                self._target.check_timestep(timestep)
        return self._target.ddim_move(z, eps, start, end)

    def noise(self, candidates: Candidates, timestep: Timesteps, draw: ForEach = 0) -> Tensor:
        """Paired noise, shaped as latents: the same for the same (candidate, timestep, draw)."""
        n = len(candidates)
        each = for_each(timestep, n, "timestep"), for_each(draw, n, "draw")
        return self._noise(candidates, "latent", *each)

    def noise_of(self, candidates: Candidates, shape: tuple[int, ...], *what: object) -> Tensor:
        """Paired noise (n, *shape) for other purposes, which `what` tells apart."""
        noise = paired_noise(self.seed, candidates.keys, shape, *what)
        return sent(noise, self._target.device)

    def pixels(self, candidates: Candidates) -> Tensor:
        """The candidates as the black box would return them: (n, 3, size, size) in [0, 1].

        Raises:
            DataError: if there are none, or they are of another size than the target's pictures.
        """
        self._check_size(candidates)
        images = torch.from_numpy(np.ascontiguousarray(candidates.images.transpose(0, 3, 1, 2)))
        return sent(images, self._target.device).float() / 255

    # The way of every question: `_require`, `_charge`, `_fetch`.

    def _check_size(self, candidates: Candidates) -> None:
        size = self._target.resolution
        if not len(candidates):
            raise DataError("There are no candidates to ask about.")
        if candidates.images.shape[1:3] != (size, size):
            raise DataError(
                f"{self._target.name} works on {size}×{size} pixels, the candidates have "
                f"{candidates.images.shape[2]}×{candidates.images.shape[1]}; "
                f"load them with size={size}."
            )

    def _require(self, question: str, needs: Access) -> None:
        if self.access < needs:
            raise AccessDenied(
                f"{question.capitalize()} needs {needs} access, this oracle grants {self.access}; "
                "use an attack of that access, or an oracle that grants more."
            )

    def _charge(self, question: str, needs: Access, candidates: Candidates, cost: Cost) -> None:
        self._require(question, needs)
        self.meter.charge(candidates.keys, cost)

    def _fetch(
        self,
        keys: Sequence[tuple[Hashable, ...]],
        compute: Callable[[list[int]], Tensor],
        cost: Cost,
        shape: Sequence[int] | None = None,
    ) -> Tensor:
        """Answers charged already, of which each distinct new one is computed once.

        A batch that does not fit in memory is computed in parts; that charges nothing.

        Raises:
            TargetError: if answers are not of this shape; by broadcasting they would give numbers.
        """
        named = [(id(self._target), self.seed, *key) for key in keys]

        def compute_in_parts(rows: list[int]) -> Tensor:
            question = str(keys[rows[0]][0])
            answers = in_parts(self._target, question, compute, rows)
            if shape is not None and answers.shape != (expected := (len(rows), *shape)):
                raise TargetError(
                    f"Expected an answer of shape {expected} by {question} of {self._target.name}, "
                    f"got {tuple(answers.shape)}; mend that method of the target."
                )
            return answers

        return self.cache.fetch(named, compute_in_parts, cost, self.batch_size)

    def _encode(self, candidates: Candidates) -> Tensor:
        """z0, charged already; pictures that look the same are encoded once."""
        target, cost = self._target, Cost(encodes=1)
        if self.posterior is Posterior.MEAN:
            pictures = candidates.pictures

            def encode(rows: list[int]) -> Tensor:
                return target.encode(self.pixels(candidates[rows]) * 2 - 1)

            kept = self.latents
            read = encode if kept is None else kept.through(target, pictures, encode)
            keys = [("encode", picture) for picture in pictures]
            return self._fetch(keys, read, cost, target.latent_shape)
        noise = self._noise(candidates, "posterior")
        about = zip(candidates.keys, candidates.pictures, strict=True)

        def sample(rows: list[int]) -> Tensor:
            return target.encode(self.pixels(candidates[rows]) * 2 - 1, noise[rows])

        keys = [("encode a sample", *row) for row in about]
        return self._fetch(keys, sample, cost, target.latent_shape)

    def _noise(self, candidates: Candidates, what: str, *each: list[int]) -> Tensor:
        """Paired noise, shaped as latents; each row's own numbers tell it apart."""
        asked = zip(candidates.keys, *each, strict=True)
        seeds = [row_seed(self.seed, key, what, *numbers) for key, *numbers in asked]
        return sent(noise_of_seeds(seeds, self._target.latent_shape), self._target.device)


def _target_named(name: str) -> Target:
    from miagym.targets.registry import load_target  # imported late: it knows the hub

    return load_target(name)
