"""An attack that takes its time, so that a test can end a process in the middle of a chunk."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from attacks.grey_box.sima import SimA
from miagym.oracle import Candidates, Oracle

SECONDS = 0.2


@dataclass(frozen=True)
class SlowSimA(SimA):
    """SimA under one setting, slowly."""

    def __call__(self, oracle: Oracle, candidates: Candidates) -> NDArray[np.float64]:
        time.sleep(SECONDS)
        return super().__call__(oracle, candidates)

    def variants(self) -> tuple[SlowSimA, ...]:
        return (self,)
