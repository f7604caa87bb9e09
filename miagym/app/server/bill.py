"""Bill: what a job costs, phase by phase, so that one that is stopped pays for what it computed."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from miagym.progress import Progress

AT_WORK = 4
"""Steps that may be computed beside the one that is reported; they are paid for."""


class JobBill:
    """UNet rows of a job, and how many of them it has used.

    Args:
        base: what it costs to begin.
        phases: by the labels under which the job reports them, what each costs.
    """

    def __init__(self, base: int, phases: Mapping[str, int] | None = None) -> None:
        self._base, self._phases = base, dict(phases or {})
        self._used: dict[str, int] = {}
        self._has_begun = self._has_ended = False

    @property
    def total(self) -> int:
        """Rows, if the job goes to its end."""
        return self._base + sum(self._phases.values())

    @property
    def used(self) -> int:
        """Rows that have been computed by now, at the most."""
        if self._has_ended:
            return self.total
        return self._has_begun * self._base + sum(self._used.values())

    def begin(self) -> None:
        """The job's turn has come."""
        self._has_begun = True

    def end(self) -> None:
        """The job is done."""
        self._has_ended = True

    def watched(self, progress: Progress) -> Progress:
        """A progress that also notes how far each phase has come."""

        def start(label: str, steps: int) -> Callable[[], None]:
            done, count = progress(label, steps), 0

            def step() -> None:
                nonlocal count
                count += 1
                self._note(label, count, steps)
                done()

            self._note(label, count, steps)
            return step

        return start

    def _note(self, label: str, count: int, steps: int) -> None:
        share = min(1.0, (count + AT_WORK) / max(1, steps))
        self._used[label] = math.ceil(share * self._phases.get(label, 0))
