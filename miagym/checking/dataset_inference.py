"""Dataset inference: many pictures of one artist, one answer, with a p-value."""

from __future__ import annotations

from dataclasses import dataclass

from miagym.candidates import Candidates
from miagym.evaluation.protocol import Attack
from miagym.metrics.resampling.permutation import SetTest, set_test
from miagym.oracle import Oracle

__all__ = ["DatasetInference", "set_test"]


@dataclass(frozen=True)
class DatasetInference:
    """Was a set of pictures used? The set test of CDI, on the scores of any attack.

    Dubiński et al., CVPR 2025, arXiv 2411.12858. Hypothesis 0: suspects score as non-members do.

    The attack has learned from calibration data, and neither suspects nor controls were among
    them; so under hypothesis 0 all scores are exchangeable, and a permutation test is exact however
    few and however skewed they are. In the reference code, five models score each other's training
    data; such scores are dependent, so that Welch's t-test is wrong for small sets, and its
    p-values are two-sided. What remains is the user's part: controls that differ from suspects in
    anything but membership, in style or source, give small p-values too.

    Args:
        attack: fitted, if it has to be: `CDI` in the paper.
        seed: of the permutations.
    """

    attack: Attack
    seed: int = 0

    def __call__(self, oracle: Oracle, suspects: Candidates, controls: Candidates) -> SetTest:
        """The answer for a set of suspects, given fresh non-members like them."""
        return set_test(self.attack(oracle, suspects), self.attack(oracle, controls), self.seed)
