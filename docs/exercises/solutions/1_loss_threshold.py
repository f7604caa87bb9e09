# miagym exercise 1

# %% [markdown]
# # 1. The loss threshold, and why noise must be paired
#
# A diffusion model learns to undo noise. Take a picture's latents $z_0$, mix in standard normal
# noise $\varepsilon$,
#
# $$z_t = \sqrt{\bar\alpha_t}\, z_0 + \sqrt{1 - \bar\alpha_t}\, \varepsilon,$$
#
# and let the model guess the noise. Its squared error is the very loss it was trained to make
# small,
#
# $$\ell(x, t, \varepsilon) = \frac1d \lVert E(z_t, t, c) - \varepsilon \rVert^2,$$
#
# on its training pictures. So the oldest attack says: *a small loss means member*.
#
# The trouble is that the loss depends on three things: on whether the picture was trained on, on
# how hard the picture is to draw, and on the noise. Only the first is what we ask about. In this
# exercise you measure all three.
#
# Fill the gaps (`NotImplementedError`, and `...` at the end). `miagym exercise check FILE` tells
# how you fare.

# %%
from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray
from torch import Tensor

from miagym.candidates import Candidates
from miagym.data.registry import load_data
from miagym.metrics.measure import measure
from miagym.oracle import Oracle
from miagym.targets.registry import load_target

TIMESTEP, DRAWS = 200, 3
Floats = NDArray[np.float64]

data = load_data("clipart-tune")
rows = data.rows("test", seed=0, limit=150)
candidates, member = data.candidates(rows, size=64), data.member[rows]

target = Oracle(load_target("clipart-overfit@80"))  # fine-tuned on the members for 80 epochs
reference = Oracle(load_target("clipart-realistic"))  # the public model that it was made from
print(f"{member.sum()} members, {(~member).sum()} non-members")


# %% [markdown]
# ## The loss
#
# The oracle is the only door to a model. These four questions are all you need; `z` and `noise`
# have shape `(n, 4, 16, 16)`.
#
# | ask | get |
# |---|---|
# | `oracle.encode(candidates)` | latents $z_0$ |
# | `oracle.noise(candidates, timestep, draw)` | standard normal noise |
# | `oracle.add_noise(z0, noise, timestep)` | $z_t$ |
# | `oracle.predict_noise(candidates, z_t, timestep)` | $E(z_t, t, c)$, where $c$ is the caption |


# %%
def loss(oracle: Oracle, candidates: Candidates, timestep: int, noise: Tensor) -> Floats:
    """The loss of each picture (n,) under the noise given: mean square over its elements."""
    z_t = oracle.add_noise(oracle.encode(candidates), noise, timestep)
    error = oracle.predict_noise(candidates, z_t, timestep) - noise
    return error.pow(2).flatten(1).mean(1).double().numpy()


# %% [markdown]
# `oracle.noise(candidates, t, draw)` is a function of the picture, the timestep and the number of
# the draw, and of nothing else: not of the model, nor of the batch. Ask twice and you get the same
# noise; `draw=1` gives another. Three draws, two models:


# %%
def losses(oracle: Oracle) -> Floats:
    """Losses (draws, n)."""
    draws = [oracle.noise(candidates, TIMESTEP, draw) for draw in range(DRAWS)]
    return np.stack([loss(oracle, candidates, TIMESTEP, noise) for noise in draws])


target_losses, reference_losses = losses(target), losses(reference)


# %% [markdown]
# ## From losses to scores
#
# Everywhere in miagym **a high score means member**. `measure` gives the AUC, the chance that a
# member scores above a non-member (0.5 is guessing), with its 95 % interval.


# %%
def plain_score(target_losses: Floats) -> Floats:
    """Scores of the loss threshold, of the same shape as the losses."""
    return -target_losses


for draw in range(DRAWS):
    found = measure(plain_score(target_losses[draw]), member)
    print(f"loss, draw {draw}: AUC {found.auc:.3f} [{found.auc_ci[0]:.3f}, {found.auc_ci[1]:.3f}]")


# %% [markdown]
# Hardly better than guessing, whatever the draw. Is the noise to blame? Split the variance of the
# loss: of each picture you have three losses, which differ by noise only. *Within* pictures there
# is noise, *between* pictures there is everything else.


# %%
def noise_share(losses: Floats) -> float:
    """Share of the variance of a single loss that is due to noise, [0, 1].

    The variance over draws within a picture (`ddof=1`), averaged over pictures, divided by the
    variance of all of the (draws, n) losses.
    """
    return float(losses.var(axis=0, ddof=1).mean() / losses.var())


print(f"due to noise: {noise_share(target_losses):.1%} of the variance of the loss")


# %% [markdown]
# So noise is not what spoils the plain loss: some pictures are simply harder to draw than others. A
# picture of a white sheet has a small loss under any model.
#
# ## Ask the public model how hard a picture is
#
# The target was fine-tuned from a public model that has seen none of these pictures. Its loss says
# how hard the picture is, so let the score be the *gap*: how much better the target does than the
# public model,
#
# $$g_{ij}(x) = \ell_\text{reference}(x, t, \varepsilon_j)
#   - \ell_\text{target}(x, t, \varepsilon_i).$$
#
# The same noise for both ($i = j$, **paired**) or noise of its own for each ($i \ne j$)?


# %%
def gaps(target_losses: Floats, reference_losses: Floats) -> Floats:
    """Gaps (draws, draws, n): [i, j] has the target under noise i, the reference under noise j."""
    return reference_losses[None, :, :] - target_losses[:, None, :]


table = gaps(target_losses, reference_losses)
aucs = np.array([[measure(table[i, j], member).auc for j in range(DRAWS)] for i in range(DRAWS)])
print(aucs.round(3))

# %%
paired = np.eye(DRAWS, dtype=bool)
same, other = table[0, 0], table[0, 1]
for name, score in (("paired", same), ("not paired", other)):
    found = measure(score, member)
    print(f"gap, {name}: AUC {found.auc:.3f} [{found.auc_ci[0]:.3f}, {found.auc_ci[1]:.3f}]")
print(f"mean of the diagonal {aucs[paired].mean():.3f}, of the others {aucs[~paired].mean():.3f}")

figure = go.Figure(go.Heatmap(z=aucs, texttemplate="%{z:.3f}", colorscale="Blues"))
figure.update_layout(
    title="AUC of the gap: the diagonal is paired",
    xaxis={"title": "noise of the public model", "dtick": 1},
    yaxis={"title": "noise of the target", "dtick": 1, "autorange": "reversed"},
    width=460,
    height=420,
)
figure.show()


# %% [markdown]
# ## Why
#
# Now that the difficulty is gone, noise is what is left. For one picture, over draws,
#
# $$\operatorname{Var}(g_{ij}) = \operatorname{Var}(\ell_\text{ref})
#   + \operatorname{Var}(\ell_\text{target})
#   - 2 \operatorname{Cov}(\ell_\text{ref}, \ell_\text{target}) \cdot [i = j].$$
#
# An awkward draw is awkward for both models, so the covariance is positive, and pairing removes
# twice of it for free.


# %%
def shared_noise(target_losses: Floats, reference_losses: Floats) -> float:
    """Covariance over draws (divided by draws - 1) of a picture's losses, mean over pictures."""
    a = target_losses - target_losses.mean(axis=0)
    b = reference_losses - reference_losses.mean(axis=0)
    return float((a * b).sum(axis=0).mean() / (len(a) - 1))


without, with_pairs = (table[which].var(axis=1).mean() for which in (~paired, paired))
twice = 2 * shared_noise(target_losses, reference_losses)
print(f"variance of the gap: not paired {without:.6f}, paired {with_pairs:.6f}")
print(f"saved by pairing {without - with_pairs:.6f}; twice the covariance {twice:.6f}")

# %% [markdown]
# ## What to observe
#
# - The loss itself: noise is a few percent of its variance. Pairing cannot help it, and does not.
# - The gap: the *same* noise for both models lifts the AUC, without one query more. It is worth
#   more than it looks: the intervals of the two AUCs overlap, but all nine numbers come from the
#   same pictures.
# - A fresh draw for each call would also make your result another one every time you run it.
#
# ## Closing questions
#
# 1. By how much does pairing lift the AUC of the gap: the mean of the diagonal less the mean of the
#    others?
# 2. A classmate attacks with the plain loss, one draw, no reference. How much AUC can pairing the
#    noise be expected to give? (A number.)

# %%
answer_lift = round(float(aucs[paired].mean() - aucs[~paired].mean()), 2)
answer_plain = 0
