# miagym exercise 6

# %% [markdown]
# # 6. Play against a host
#
# In one process nothing can be kept from a player: labels and weights are an attribute away. A
# **host** keeps them, and the meter, in a process of its own; you have a key, and see pictures.
# This is how services are attacked, and how players can be ranked. The file starts one on your
# machine (docs/play/host.md), so that everything but the distance is real.
#
# - A *hand* is 16 pictures with one budget of 60 UNet rows. `variation@0.3` costs 3: the model
#   gives up 30 % of a picture and draws it anew. A public model's answer comes beside it.
# - The host tells no label and pays no reward. You say a probability for each picture; what they
#   were worth is on the leaderboard.
#
# Fill the gaps (`NotImplementedError`, and `...` at the end). `miagym exercise check FILE` tells
# how you fare.

# %%
from __future__ import annotations

import tempfile
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

import miagym
from miagym.exercises.hosted import TASK, LocalHost

PICTURES, SLOTS, PRICE = 16, 4, 3
Observation = dict[str, Any]
Action = dict[str, Any]
Message = dict[str, Any]
Floats = NDArray[np.float64]


# %% [markdown]
# ## A reply that is lost
#
# You pay for an answer when the host computes it, and not when it reaches you. If the connection
# breaks in between, you do not know whether you have paid. So a request has a name of your own
# choosing, the `request_id`: the host writes down what it replied, and whoever sends *the same
# name* again gets the same reply for nothing. A new name is a new purchase.
#
# `post(message)` sends a message and returns the reply, or raises `ConnectionError` if none came.


# %%
def ask_once(post: Callable[[Message], Message], message: Message, name: str) -> Message:
    """Sends {"request_id": name, **message} until a reply comes, five times at most.

    The fifth `ConnectionError` is raised.
    """
    raise NotImplementedError("one message, sent again as it is")


# %% [markdown]
# (`miagym.RemoteEnv`, which you play with below, does the same.)
#
# ## What pictures tell
#
# An observation holds, of every picture, how many answers there are (`count`, (16, K)) and
# their mean statistics (`summary`, (16, K, 8)), made from 8-bit pictures: the root mean square
# distance of the target's variation is number 1, of the public model's number 5. Question 0 is
# `variation@0.3`, and the only one that you need. The evidence of exercise 4,
#
# $$e = \log \frac{\text{distance of the public model}}{\text{distance of the target}},$$
#
# is here a matter of pictures. From games with labels one learns that the odds of membership are
# about $\exp(20 e)$, so that $p = 1 / (1 + \exp(-20 e))$.


# %%
def believe(observation: Observation) -> Floats:
    """Probability of membership (16,) by question 0; ½ where it was not asked."""
    raise NotImplementedError("the logistic function of 20 e; zeros in `summary` mean no answer")


# %% [markdown]
# ## An agent
#
# There are four slots in a step. Ask about the pictures that have the fewest answers, question 0,
# as long as a whole question can be paid (`observation["affordable"][0]`), and then say what you
# believe. The host charges slot after slot, and refuses what the rest of the budget does not hold.


# %%
def ask(whom: list[int], probability: Floats) -> Action:
    """An action that asks question 0 about up to four pictures; other slots stay empty."""
    empty = SLOTS - len(whom)
    return {
        "candidate": np.array([*whom, *[PICTURES] * empty]),
        "question": np.zeros(SLOTS, dtype=int),
        "probability": probability.astype(np.float32),
        "stop": 0,
    }


def say(probability: Floats) -> Action:
    """The verdict, which ends the hand."""
    return ask([], probability) | {"stop": 1}


def agent(observation: Observation) -> Action:
    """Asks (`ask`) about whom it knows least until the budget is gone, and then says (`say`)."""
    raise NotImplementedError("argsort of the number of answers; then ask or say")


# %% [markdown]
# ## Play
#
# A walk through the deck are two hands. Once both have their verdict they are a submission, and
# the leaderboard has you, beside a row that looked at pictures and captions and asked nothing.
# (It takes half a minute until the host has loaded its models.)


# %%
def play(env: Any, hands: int) -> None:
    """Plays so many hands with `agent`."""
    for _ in range(hands):
        observation, _ = env.reset()
        over = False
        while not over:
            observation, _, terminated, truncated, _ = env.step(agent(observation))
            over = terminated or truncated


agent({"count": np.zeros((16, 1)), "summary": np.zeros((16, 1, 8)), "affordable": np.ones(1)})
host = LocalHost(tempfile.mkdtemp())
env = miagym.RemoteEnv(host.url, host.key("you"), TASK)
play(env, env.told["hands"])
for row in env.client.leaderboard(TASK):
    low, high = row["auc_ci"]
    print(
        f"rank {row['rank']}  {row['player']:8} AUC {row['auc']:.2f} [{low:.2f}, {high:.2f}]  "
        f"{row['spent']} UNet rows"
    )
env.close()
host.close()

# %% [markdown]
# ## Who is better?
#
# Two players judged the same pictures, so the board compares them in pairs: the difference of
# their AUCs, with an interval (corrected for all pairs that are compared). Two players share a rank
# unless the interval shows a difference.


# %%
def told_apart(interval: tuple[float, float]) -> bool:
    """Whether a 95 % interval of a difference of AUCs shows that there is one."""
    raise NotImplementedError("where does 0 lie?")


for interval in ((0.02, 0.30), (-0.04, 0.30), (-0.31, -0.02)):
    print(interval, "different" if told_apart(interval) else "one rank")

# %% [markdown]
# ## What to observe
#
# - The budget is of the hand and the key, in the host's ledger. Neither a new connection nor
#   `reset` nor a seed renews it, and a hand that you leave counts with what you said last.
# - 32 pictures make wide intervals. Most classes fill two or three ranks, and that is all that so
#   few pictures can show.
# - A leaderboard is a leak too: who hands in thirty files and keeps the best has learned something
#   about its labels. Hence a `final` phase, on other pictures, once.
#
# ## Closing questions
#
# 1. You have spent 60 of 60 rows, hang up, connect again and call `reset`. How many of that hand's
#    rows do you have back?
# 2. A message with four `variation@0.3` is sent three times under one `request_id`, because two
#    replies were lost. How many UNet rows does that cost?
# 3. The model of task `null-60` saw none of the candidates. Which AUC does an honest player expect
#    there?

# %%
answer_renewed = ...
answer_lost = ...
answer_null = ...
