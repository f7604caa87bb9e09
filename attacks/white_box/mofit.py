"""MoFit: an embedding that fits something like the picture, but not it, misleads about members."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from attacks.base import Attack, Scores, as_scores, mean_square
from miagym.oracle import Access, Candidates, Oracle


@dataclass(frozen=True)
class MoFit(Attack):
    """Caption-free membership inference by an embedding that is fitted to the model.

    Jeon et al., ICLR 2026, arXiv 2602.22689. White box: gradients by pixels and by text embeddings.
    Simplified: far fewer iterations; the embedding starts from the candidate's own caption, or from
    the empty prompt where it has none, and not from a captioning network's; and the score is g
    alone, without a second loss at a weight alpha, which the reference code chooses, like its
    scaler, on the test set. Noise is one draw for each candidate, not one for the whole study.

    1. Surrogate: x' = x + U(-r, r), then sign-gradient steps on ||E(x'_t, t, 0) - eps||² by pixels,
       clamped to [0, 1] but not held near x; at the end rounded to 8 bits.
    2. Embedding: Adam on ||E(x'_t, t, e) - eps||² by e.
    3. Of the picture itself, under the same eps: g = L(0) - L(e), where L is the mean square. The
       fitted e harms members more. Score: -g.

    Signs pass the last bits of a gradient on: on hardware that rounds differently in batches of
    another size, scores differ in their second digit.

    Costs a UNet row and a backward row for each iteration, and 2 UNet rows; an encode for each
    iteration of the surrogate, and 2.

    Args:
        timestep: t.
        surrogate_steps: iterations of 1. The paper's 1000 are 20 here.
        embedding_steps: iterations of 2. The paper's 200 to 1000 (300 on COCO) are 20 here.
        radius: r. The paper's 0.3, on pixels in [-1, 1], is 0.15 in [0, 1].
        first_step: of the sign gradient; the paper's 0.15, halved likewise.
        last_step: to which it falls linearly; the paper's 0.0015, halved.
        learning_rate: of Adam. The paper's is 0.06; 20 steps of 0.9 can go as far as its 300 do.
    """

    access = Access.WHITE
    paper = "Jeon et al. 2026, arXiv 2602.22689"

    timestep: int = 140
    surrogate_steps: int = 20
    embedding_steps: int = 20
    radius: float = 0.15
    first_step: float = 0.075
    last_step: float = 0.00075
    learning_rate: float = 0.9

    def __call__(self, oracle: Oracle, candidates: Candidates) -> Scores:
        eps = oracle.noise(candidates, self.timestep)
        surrogates = self.surrogates(oracle, candidates, eps)
        fitted = self.embeddings(oracle, surrogates, eps)
        z_t = oracle.add_noise(oracle.encode(candidates), eps, self.timestep)

        def loss(prompts: str | Tensor) -> Tensor:
            predicted = oracle.predict_noise(candidates, z_t, self.timestep, prompts=prompts)
            return mean_square(predicted - eps)

        g = loss("") - loss(fitted)
        return as_scores(-g)

    def surrogates(self, oracle: Oracle, candidates: Candidates, eps: Tensor) -> Candidates:
        """Pictures of which the model, without a prompt, predicts the noise eps well."""
        x = oracle.pixels(candidates)
        normal = oracle.noise_of(candidates, tuple(x.shape[1:]), "mofit")
        uniform = 2 * torch.special.ndtr(normal) - 1
        x = (x + self.radius * uniform).clamp(0, 1)
        for step in np.linspace(self.first_step, self.last_step, self.surrogate_steps):
            gradient = oracle.pixel_gradient(candidates, x, self.timestep, eps, prompts="")
            x = (x - float(step) * gradient.sign()).clamp(0, 1)
        pixels = (255 * x).round().byte().permute(0, 2, 3, 1).contiguous()
        return candidates.with_images(pixels.cpu().numpy())

    def embeddings(self, oracle: Oracle, surrogates: Candidates, eps: Tensor) -> Tensor:
        """Text embeddings (n, tokens, width) under which their noise is predicted even better."""
        z_t = oracle.add_noise(oracle.encode(surrogates), eps, self.timestep)
        e = oracle.embed(surrogates).clone()
        adam = torch.optim.Adam([e], lr=self.learning_rate)  # element by element: rows stay apart
        for _ in range(self.embedding_steps):
            e.grad = oracle.embedding_gradient(surrogates, z_t, self.timestep, eps, e)
            adam.step()
        return e
