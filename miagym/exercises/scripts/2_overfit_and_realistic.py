# miagym exercise 2

# %% [markdown]
# # 2. Overfit against realistic: the paper's first figure
#
# Papers reported that membership inference on diffusion models works. Dubiński et al. (WACV 2024)
# looked at what it was tried on: small models, trained for hundreds of epochs on a few hundred
# pictures. On a model trained as large ones are, the same attacks did little. Here you redraw that
# contrast: one attack (the loss threshold of exercise 1), one model before fine-tuning, and the
# same model after 15, 40, 80, 130 and 180 epochs on 450 drawings.
#
# You write the two measures yourself. Members have scores $m_1, \dots, m_M$, non-members
# $n_1, \dots, n_N$, and high means member. Scores may be **tied**: rounded scores, or an attack
# that gives up on a picture, make them.
#
# Fill the gaps (`NotImplementedError`, and `...` at the end). `miagym exercise check FILE` tells
# how you fare.

# %%
from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from miagym.data.registry import load_data
from miagym.metrics.auc import roc
from miagym.metrics.measure import measure
from miagym.oracle import Oracle
from miagym.targets.registry import load_target

TIMESTEP = 200


# %% [markdown]
# ## The area under the curve
#
# $$\mathrm{AUC} = \Pr(m > n) + \tfrac12 \Pr(m = n)$$
#
# for a member and a non-member drawn at random: a tie is a coin toss.


# %%
def auc(members: NDArray[np.float64], nonmembers: NDArray[np.float64]) -> float:
    """How often a member scores above a non-member; a tie counts half."""
    raise NotImplementedError("compare every member with every non-member")


# %% [markdown]
# ## TPR at a low FPR
#
# An AUC of 0.6 may mean "a little more than guessing, for everybody" or "certain for a few". Who
# accuses somebody wants to know: *how many members do I find, if at most a share $\alpha$ of
# non-members may be accused?*
#
# The rule is "member if score > threshold". Sort the non-members, the highest first:
# $n_{(1)} \ge n_{(2)} \ge \dots$ At most $k = \lfloor \alpha N \rfloor$ of them may pass. Which of
# the $n_{(i)}$ is the lowest threshold that surely lets no more than $k$ pass, whatever is tied?
# And how many non-members pass it then? It may be fewer than $k$: report the FPR that was
# *reached*.
#
# If $k = 0$, this data cannot say anything about $\alpha$, and the honest answer is `None`.


# %%
def tpr_at_fpr(
    members: NDArray[np.float64], nonmembers: NDArray[np.float64], alpha: float
) -> tuple[float, float] | None:
    """TPR, and FPR reached, of the best threshold whose FPR is at most alpha; None if k = 0."""
    raise NotImplementedError("the threshold is an order statistic of the non-members")


for scores in (np.array([4.0, 3.0, 2.0, 1.0]), np.array([4.0, 2.0, 2.0, 1.0])):
    print(f"non-members {scores}, alpha 0.5: {tpr_at_fpr(np.array([3.5, 2.5, 2.0]), scores, 0.5)}")


# %% [markdown]
# ## The models
#
# All of them share one autoencoder, so the latents are computed once. `clipart-tune` has the 450
# drawings of the fine-tuning and as many others; `clipart-realistic` itself was trained on half of
# `clipart`.

# %%
Sides = tuple[NDArray[np.float64], NDArray[np.float64]]


def attack(names: list[str], split: str, limit: int) -> dict[str, Sides]:
    """Scores of members and of non-members under each model."""
    data = load_data(split)
    rows = data.rows("test", seed=0, limit=limit)
    candidates, member = data.candidates(rows, size=64), data.member[rows]
    found, z0 = {}, None
    for name in names:
        oracle = Oracle(load_target(name))
        z0 = oracle.encode(candidates) if z0 is None else z0
        noise = oracle.noise(candidates, TIMESTEP)  # paired: the same for every model
        z_t = oracle.add_noise(z0, noise, TIMESTEP)
        error = oracle.predict_noise(candidates, z_t, TIMESTEP) - noise
        scores = -error.pow(2).flatten(1).mean(1).double().numpy()
        found[name] = scores[member], scores[~member]
    return found


epochs = [f"clipart-overfit@{epoch}" for epoch in (15, 40, 80, 130)]
overfit = attack([*epochs, "clipart-overfit"], "clipart-tune", limit=300)
realistic = attack(["clipart-realistic"], "clipart", limit=300)
everything = {**realistic, **overfit}


# %% [markdown]
# Your measures beside miagym's intervals (95 %):

# %%
for name, (members, nonmembers) in everything.items():
    both = np.concatenate([members, nonmembers])
    is_member = np.arange(len(both)) < len(members)
    found = measure(both, is_member)
    tpr, fpr = tpr_at_fpr(members, nonmembers, 0.01) or (np.nan, np.nan)
    low, high = found.tpr_at_fpr[0.01].ci
    area, (below, above) = auc(members, nonmembers), found.auc_ci
    print(f"{name:20} AUC {area:.3f} [{below:.3f}, {above:.3f}]", end="")
    print(f"   TPR {tpr:6.1%} [{low:.1%}, {high:.1%}] at {fpr:.1%} FPR")

# %%
figure = go.Figure()
for name, (members, nonmembers) in everything.items():
    fpr, tpr = roc(members, nonmembers)
    stroke = "dash" if name in realistic else "solid"
    figure.add_scatter(x=fpr, y=tpr, name=name, line={"shape": "hv", "dash": stroke})
guess = np.geomspace(1 / 300, 1)
figure.add_scatter(x=guess, y=guess, name="guessing", line={"color": "#888888", "dash": "dot"})
figure.update_xaxes(type="log", range=[np.log10(1 / 300), 0], title="false positive rate")
figure.update_yaxes(type="log", range=[np.log10(1 / 300), 0], title="true positive rate")
figure.update_layout(title="One attack, one kind of art: only the training differs")
figure.update_layout(width=720, height=520)
figure.show()


# %% [markdown]
# ## What to observe
#
# - The same attack climbs from guessing to certainty with the epochs. Nothing about the attack has
#   changed.
# - On the realistic model, the curve stays at the diagonal. An evaluation on the overfit model
#   alone would have told you that the attack works.
# - With 300 non-members the left end of the figure is a staircase of steps of 1/300. What a paper
#   reports at 0.1 % FPR needs more of them.
#
# ## Closing questions
#
# 1. After how many epochs does the AUC's interval first lie wholly above 0.5 (15, 40, 80, 130 or
#    180)?
# 2. How many non-members does it take at least, for TPR at 0.1 % FPR to have an answer?
# 3. Non-members score 9, 5, 5, 5, 1, 1, 1, 1, 1, 1, members 6, 5, 5, 2. What is the TPR at FPR ≤
#    0.3?

# %%
answer_epochs = ...
answer_nonmembers = ...
answer_tied = ...
