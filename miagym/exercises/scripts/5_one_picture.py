# miagym exercise 5

# %% [markdown]
# # 5. One picture, one p-value: what may be claimed
#
# An artist shows you one drawing and asks: *was it used?* You have an attack and a score, say
# −0.07. A score alone means nothing. What you can do is to compare it with pictures that were
# certainly **not** used, under the same model.
#
# If the drawing was not used either, and is like them, then it is one more of the same kind: its
# rank among all $n + 1$ is as likely to be any of them. That is all there is to a **conformal
# p-value** (Vovk, Gammerman & Shafer 2005),
#
# $$p = \frac{1 + \#\{i : s_i \ge s\}}{n + 1}, \qquad
#   \Pr(p \le \alpha) \le \alpha \text{ for a picture that was not used.}$$
#
# It needs no assumption about the attack: a bad attack gives a p-value that is valid and useless.
#
# Fill the gaps (`NotImplementedError`, and `...` at the end). `miagym exercise check FILE` tells
# how you fare.

# %%
from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from attacks.grey_box.loss import LossThreshold
from attacks.grey_box.pia import PIA
from attacks.grey_box.sima import SimA
from miagym.data.registry import load_data
from miagym.oracle import Oracle
from miagym.targets.registry import load_target

ALPHA = 0.05


# %% [markdown]
# ## The p-value


# %%
def p_value(score: float, nonmember_scores: NDArray[np.float64]) -> float:
    """The conformal p-value of one score, high = member; ties count against membership."""
    raise NotImplementedError("the rank among all n + 1")


def verdict(p: float, alpha: float) -> str:
    """What is said of a picture: "member-like", or something else. What is that called?"""
    raise NotImplementedError("two words are allowed; see docs/check/check.md for the other one")


def fewest_nonmembers(alpha: float) -> int:
    """How many calibration non-members it takes at least, for any picture to have p <= alpha."""
    raise NotImplementedError("how small can p get?")


best = p_value(1.0, np.linspace(-1, 0, 50))
print(f"the best score of all, against 50 non-members: p = {best:.3f}")
for alpha in (0.05, 0.01, 0.001):
    print(f"to say anything at {alpha:.1%} takes {fewest_nonmembers(alpha)} non-members")


# %% [markdown]
# ## Is it true?
#
# Take `clipart-realistic`, four attacks, 299 calibration non-members, and 250 + 250 test pictures.
# If the p-values of test non-members are valid, then a share $\alpha$ of them, or less, lies below
# $\alpha$: they are uniform.

# %%
data = load_data("clipart")
known = np.flatnonzero((data.part == "calibration") & ~data.member)[:299]
rows = data.rows("test", seed=0, limit=250)
calibration, candidates = data.candidates(known, 64), data.candidates(rows, 64)
member = data.member[rows]

oracle = Oracle(load_target("clipart-realistic"))
attacks = {
    "loss": LossThreshold(timestep=200, draws=1),
    "loss, t = 400": LossThreshold(timestep=400, draws=1),
    "PIA": PIA(),
    "SimA": SimA(),
}
scores = {name: attack(oracle, candidates) for name, attack in attacks.items()}
known_scores = {name: attack(oracle, calibration) for name, attack in attacks.items()}
ps = {name: np.array([p_value(s, known_scores[name]) for s in scores[name]]) for name in attacks}

for name, p in ps.items():
    print(f"{name:14} p <= {ALPHA}: {(p[~member] <= ALPHA).mean():5.1%} of non-members, ", end="")
    print(f"{(p[member] <= ALPHA).mean():5.1%} of members")

# %% [markdown]
# Read the second column: even of the members, nearly all are "cannot tell". That is the ordinary
# answer on a realistic model, and it never means "was not used".
#
# ## The smallest of four
#
# Four attacks, four p-values. It is tempting to show the smallest. But each of the four has its own
# chance of $\alpha$ to be small by accident, so
#
# $$\Pr(\min_k p_k \le \alpha) \le \sum_k \Pr(p_k \le \alpha) \le 4 \alpha,$$
#
# and if the attacks are unlike each other it gets close to that. Turn the inequality round, and you
# have a p-value for whoever insists on picking (Bonferroni).


# %%
def corrected(p_values: NDArray[np.float64]) -> float:
    """A valid p-value, at most 1, for who takes the smallest of k p-values (k,) of a picture."""
    raise NotImplementedError("Bonferroni")


table = np.stack(list(ps.values()))
smallest = table.min(axis=0)
mended = np.array([corrected(of_picture) for of_picture in table.T])
for name, p in (("smallest", smallest), ("corrected", mended)):
    print(f"{name:14} p <= {ALPHA}: {(p[~member] <= ALPHA).mean():5.1%} of non-members, ", end="")
    print(f"{(p[member] <= ALPHA).mean():5.1%} of members")

# %%
figure = go.Figure()
grid = np.linspace(0, 1, 201)
shown = {**ps, "smallest of four": smallest, "corrected": mended}
for name, p in shown.items():
    share = [(p[~member] <= alpha).mean() for alpha in grid]
    width = 3 if name == "smallest of four" else 1.5
    figure.add_scatter(x=grid, y=share, name=name, line={"width": width})
figure.add_scatter(x=grid, y=grid, name="uniform", line={"color": "#888888", "dash": "dot"})
figure.update_layout(
    title="Non-members only: a valid p-value stays at or below the diagonal",
    xaxis_title="α",
    yaxis_title="share of non-members with p ≤ α",
    width=720,
    height=480,
)
figure.show()


# %% [markdown]
# ## From p to an accusation
#
# `miagym check` on `clipart-realistic` finds about 2 % of members while it accuses 1 % of
# non-members. If it calls your drawing member-like, how likely is it that it was not used? That
# depends on how common members are among the pictures that you ask about, the **base rate** $\pi$:
#
# $$\frac{\Pr(\text{not used} \mid \text{accused})}{\Pr(\text{used} \mid \text{accused})}
#   = \frac{1 - \pi}{\pi} \cdot \frac{\mathrm{FPR}}{\mathrm{TPR}}.$$
#
# A small p-value is not a small probability of innocence.


# %%
def innocent_share(tpr: float, fpr: float, base_rate: float) -> float:
    """Share of the accused pictures that were not used, [0, 1]."""
    raise NotImplementedError("of all accused: those that were used, those that were not")


for base_rate in (0.5, 0.1, 0.001):
    realistic, overfit = (innocent_share(tpr, 0.01, base_rate) for tpr in (0.02, 0.83))
    print(f"base rate {base_rate:5.1%}: of the accused, ", end="")
    print(f"{realistic:5.1%} are innocent (realistic), {overfit:5.1%} (overfit)")

# %% [markdown]
# ## What to observe
#
# - A p-value promises one thing: how rarely a picture *that was not used* scores so high. It says
#   nothing about pictures that do not look like the calibration set, and is no probability of
#   guilt.
# - On the realistic model one of three accused is innocent, even where half of all pictures were
#   used.
# - Whoever shows the smallest of four p-values accuses up to four times as many non-members as the
#   label says.
#
# ## Closing questions
#
# 1. What share of non-members does "the smallest of the four is at most 5 %" accuse here?
# 2. How high must the base rate be, so that nine of ten accused (2 % TPR, 1 % FPR) were used?
# 3. An artist's drawing has p = 0.6 under `clipart-realistic`. What do you tell the artist? (The
#    verdict, in words.)

# %%
answer_smallest = ...  # a share, for example 0.07
answer_base_rate = ...  # a share, two digits after the point
answer_artist = ...
