"""SecMI: for members, a DDIM step up and down again leads back more exactly."""

from __future__ import annotations

from dataclasses import dataclass, replace

from torch import Tensor

from attacks.base import Attack, Scores, as_scores, mean_square
from miagym.access import Access
from miagym.budget import Cost
from miagym.data.candidates import Candidates
from miagym.oracle import Oracle


@dataclass(frozen=True)
class SecMI(Attack):
    """SecMI-stat: the t-error of a deterministic inversion.

    Duan et al., ICML 2023, arXiv 2302.01316. Faithful: it does invert (one benchmark's "SecMI" adds
    fresh noise instead), and the chain ends at t itself (the reference grid stops one step short).

    Score: z~ = phi(z0, 0 -> k -> ... -> t), z^ = phi(phi(z~, t -> t + k), t + k -> t),
    -mean((z~ - z^)²), where phi is the DDIM move.

    Costs t / k + 2 UNet rows and 1 encode.

    Args:
        timestep: t, a multiple of `stride`.
        stride: k. The paper's value is 10; 20 is ours, which halves the cost.
    """

    access = Access.GREY
    paper = "Duan et al. 2023, arXiv 2302.01316"

    timestep: int = 100
    stride: int = 20

    def __call__(self, oracle: Oracle, candidates: Candidates) -> Scores:
        t, k = self.timestep, self.stride

        def move(z: Tensor, start: int, end: int) -> Tensor:
            return oracle.ddim_move(z, oracle.predict_noise(candidates, z, start), start, end)

        inverted = oracle.encode(candidates)
        for start in range(0, t, k):
            inverted = move(inverted, start, start + k)
        back = move(move(inverted, t, t + k), t + k, t)
        return as_scores(-mean_square(inverted - back))

    @property
    def cost(self) -> Cost:
        rows = self.timestep // self.stride + 2
        return Cost(queries=rows + 1, unet_rows=rows, encodes=1)

    def variants(self) -> tuple[Attack, ...]:
        k = self.stride
        return tuple(replace(self, timestep=t) for t in (self.timestep, 2 * k, 3 * k))
