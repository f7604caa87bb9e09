"""LiRA: a Gaussian likelihood ratio of the signal, picture by picture."""

from __future__ import annotations

from dataclasses import dataclass

from attacks.base import Scores
from attacks.shadow.base import ShadowAttack
from attacks.shadow.likelihood import Inside, Scale, lira_offline, lira_online


@dataclass(frozen=True)
class LiRA(ShadowAttack):
    """Likelihood ratio attack: is the signal that of models that saw this picture, or of others?

    Carlini et al., IEEE S&P 2022, arXiv 2112.03570. Faithful to Algorithm 1 and, offline, to Eq. 4;
    the signal is an attack's score in the place of a classifier's scaled confidence. Means where
    the reference code takes medians. With one variance for all pictures (theirs for few shadow
    models), ours is pooled within pictures, over all that were dealt; theirs is that of all values
    together, in which pictures differ more than models do.

    Score: log N(s; mu_in, sd_in²) - log N(s; mu_out, sd_out²); offline (s - mu_out) / sd_out.

    Costs what the attack does; shadow models are asked for free.

    Args:
        attack: whose score is the signal s.
        online: whether shadow models that were trained on the picture are used too.
        per_picture: whether each picture has a variance of its own, which the paper advises from
            64 shadow models.
    """

    paper = "Carlini et al. 2022, arXiv 2112.03570"

    online: bool = True
    per_picture: bool = False

    def compare(self, signal: Scores, signals: Scores, inside: Inside, scale: Scale) -> Scores:
        ratio = lira_online if self.online else lira_offline
        return ratio(signal, signals, inside, None if self.per_picture else scale)

    def needed(self) -> tuple[int, int]:
        each = 4 if self.per_picture else 2
        return (each if self.online else 0), each
