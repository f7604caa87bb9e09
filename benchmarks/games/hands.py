"""Grades a fixed agent of `miagym/Audit-v0` on `test`: each picture is asked once.

python benchmarks/games/hands.py variation@0.3 black
python benchmarks/games/hands.py sima@200 grey
"""

from __future__ import annotations

import sys

import numpy as np

from miagym.envs import grade_audit
from miagym.envs.audit.env import AuditVectorEnv

HAND, ENVS, WALKS, SLOPE = 4, 32, 5, 20.0


def main(question: str, access: str) -> None:
    price = {"variation@0.3": 3, "sima@200": 1}[question]
    envs = AuditVectorEnv(
        ENVS,
        split="test",
        access=access,
        reference="clipart-realistic",
        questions=[question],
        budget=HAND * price,
        candidates=HAND,
        slots=HAND,
    )
    envs.reset(seed=0)
    what = np.zeros((ENVS, HAND), dtype=np.int64)
    everybody, nobody = np.tile(np.arange(HAND), (ENVS, 1)), np.full((ENVS, HAND), HAND)
    half, ones = np.full(ENVS, 0.5), np.ones(ENVS, dtype=np.int64)
    for _ in range(WALKS):
        asked = {"candidate": everybody, "question": what, "probability": half, "stop": 0 * ones}
        seen, *_ = envs.step(asked)
        ours, public = (np.log(seen["summary"][:, :, 0, at]) for at in (1, 5))
        said = 1 / (1 + np.exp(-SLOPE * (public - ours).mean(axis=1)))
        envs.step({"candidate": nobody, "question": what, "probability": said, "stop": ones})
        envs.reset(options={"reset_mask": ones == 1})
    found = grade_audit(envs.verdicts)
    print(f"{found.n_judged} hands about {found.n_models} models")
    print(f"AUC {found.metrics.auc:.3f} {found.metrics.auc_ci}")
    print(f"Brier reward {found.brier_reward:.3f} {found.brier_reward_ci}")


if __name__ == "__main__":
    main(*sys.argv[1:])
