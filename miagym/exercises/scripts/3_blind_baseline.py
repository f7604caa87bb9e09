# miagym exercise 3

# %% [markdown]
# # 3. Cheat without the model: the blind baseline
#
# Two students collect pictures to test an attack with. Both take drawings of which half were used
# for training. Student A downloads all of them from one place. Student B finds the *used* ones in
# the training set's own cache, which holds thumbnails of 32 pixels, and enlarges them to 64 like
# the others. One has to look twice to see it.
#
# Student B then reports an attack that finds nearly all members. It is a classifier that **never
# asks the model**. What it has found is not membership, but that thumbnails are blurred. Das, Zhang
# & Tramèr (arXiv 2406.16201) showed that many published results can be had that way: on LAION-mi,
# captions alone beat every attack on the model.
#
# Fill the gaps (`NotImplementedError`, and `...` at the end). `miagym exercise check FILE` tells
# how you fare.

# %%
from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from miagym.auditing.audit import audit
from miagym.auditing.cues import cue_in_words
from miagym.auditing.data_source import AuditData
from miagym.candidates import Candidates
from miagym.data.registry import load_data
from miagym.metrics.measure import measure
from miagym.oracle import Oracle
from miagym.targets.registry import load_target

Pictures = NDArray[np.uint8]
Scores = NDArray[np.float64]

data = load_data("clipart")
rows = data.rows("test", seed=0, limit=200)
drawings, member, groups = data.candidates(rows, size=64), data.member[rows], data.groups[rows]


def thumbnail(picture: Pictures) -> Pictures:
    """A picture (64, 64, 3) after a stay in the cache: 32 pixels, then 64 again."""
    small = Image.fromarray(picture).resize((32, 32), Image.Resampling.BILINEAR)
    return np.asarray(small.resize((64, 64), Image.Resampling.BILINEAR))


of_b = [thumbnail(x) if used else x for x, used in zip(drawings.images, member, strict=True)]
student_a = drawings
student_b = Candidates(np.stack(of_b), drawings.captions)


# %% [markdown]
# ## What a blind attacker sees
#
# Turn each picture into a few numbers (features) in which a blurred copy differs from a sharp one.
# No model, no caption: pixels only. What does enlarging do to the steps between neighbouring
# pixels, and to the number of exactly white ones?


# %%
def features(images: Pictures) -> NDArray[np.float64]:
    """Features (n, d) of pictures (n, 64, 64, 3), each row from its own picture alone."""
    raise NotImplementedError("numbers in which a blurred picture differs from a sharp one")


# %% [markdown]
# ## Out of fold
#
# A classifier that is asked about the very pictures that it learned from knows their labels by
# heart. So cut the pictures into five folds, learn on four of them, and score the fifth. Two
# pictures of one *group* (near-duplicates, a series) must never be on both sides of the cut: the
# classifier would recognise one by the other. `GroupKFold` cuts like that; `classifier.fit(x, y)`
# and `classifier.decision_function(x)` learn and score.


# %%
def out_of_fold(x: Scores, member: NDArray[np.bool_], groups: NDArray[np.int64]) -> Scores:
    """Scores (n,), each by a classifier that has seen neither that picture nor any of its group."""
    classifier = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    raise NotImplementedError("five folds")


def show(name: str, scores: Scores) -> tuple[float, float]:
    """Prints an AUC, and gives its interval."""
    found = measure(scores, member)
    print(f"{name:40} AUC {found.auc:.3f} [{found.auc_ci[0]:.3f}, {found.auc_ci[1]:.3f}]")
    return found.auc_ci


blind_a = show("student A, blind", out_of_fold(features(student_a.images), member, groups))
blind_b = show("student B, blind", out_of_fold(features(student_b.images), member, groups))


# %% [markdown]
# ## The attack on a model that knows nothing
#
# `clipart-null` was trained on other drawings altogether: it has seen *neither* side. Whatever an
# attack finds there is no membership. Here is the loss threshold of exercise 1.


# %%
def loss_scores(oracle: Oracle, candidates: Candidates) -> Scores:
    """Scores (n,) of the loss threshold at t = 200."""
    z0, noise = oracle.encode(candidates), oracle.noise(candidates, 200)
    error = oracle.predict_noise(candidates, oracle.add_noise(z0, noise, 200), 200) - noise
    return -error.pow(2).flatten(1).mean(1).double().numpy()


null, realistic = Oracle(load_target("clipart-null")), Oracle(load_target("clipart-realistic"))
show("student A, loss on clipart-null", loss_scores(null, student_a))
null_b = show("student B, loss on clipart-null", loss_scores(null, student_b))
show("student A, loss on clipart-realistic", loss_scores(realistic, student_a))
real_b = show("student B, loss on clipart-realistic", loss_scores(realistic, student_b))


# %% [markdown]
# Student B would report the last line as a success: its interval lies above 0.5. So 0.5 is the
# wrong thing to compare with. When does an attack's AUC speak for membership?


# %%
def speaks_for_membership(attack: tuple[float, float], blind: tuple[float, float]) -> bool:
    """Whether an attack's interval (low, high) clears guessing and the blind baseline's."""
    raise NotImplementedError("how low may the attack be, how high may the blind baseline be?")


print(f"student B's attack speaks for membership: {speaks_for_membership(real_b, blind_b)}")


# %% [markdown]
# ## `miagym audit` names the cue
#
# On a data set of your own: `miagym audit pictures/` (see docs/check/audit.md). Here, in Python. It looks
# at captions, files and pixels, repeats everything on 499 shuffles of the labels, and names what
# gives the sides away.


# %%
def png(picture: Pictures) -> bytes:
    """A picture as a file: all in one format, so that the format is no cue."""
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "PNG")
    return file.getvalue()


for name, candidates in (("student A", student_a), ("student B", student_b)):
    files = [png(picture) for picture in candidates.images]
    found = audit(AuditData(name, member, candidates.captions, files, groups))
    print(f"{name}: {found.verdict}. {found.why}")
    for cue in found.cues[:3]:
        print(f"    {cue_in_words(cue)} (p = {cue.p:.3f})")

# %% [markdown]
# ## What to observe
#
# - The blind classifier wins on B's pictures and guesses on A's. Same drawings, same labels, same
#   code.
# - The loss threshold "works" on B's pictures under a model that has seen none of them.
# - An interval that lies above 0.5 is not enough. It has to lie above the blind row, on the same
#   pictures.
#
# ## Closing questions
#
# 1. What AUC does the loss threshold reach on B's pictures under `clipart-null`, which knows none
#    of them?
# 2. What does the audit call B's split (one word), and what A's?

# %%
answer_null = ...  # two digits after the point
answer_b = ...
answer_a = ...
