"""What is known of the paper's numbers; of all others there is a dash and no guess.

No table of the paper is reproduced here: its values for the sixteen settings, for classifiers and
for checkpoints are not known to this project. Two numbers on LAION-mi are restated by others.
"""

from __future__ import annotations

from dataclasses import dataclass

DASH = "\N{EN DASH}"
"""Where the paper's number is not known."""


@dataclass(frozen=True)
class Published:
    """A number about LAION-mi that somebody has published.

    Args:
        what: it measures.
        tpr: at 1 % FPR.
        source: who says so.
    """

    what: str
    tpr: float
    source: str


CHANCE = Published("guessing", 0.01, "by definition")
BEST_ATTACK = Published(
    "the best attack at its best timestep",
    0.025,
    "Dubiński et al., as restated by Das et al., arXiv 2406.16201",
)
CAPTIONS_ALONE = Published("a classifier of captions alone", 0.089, "Das et al., arXiv 2406.16201")
