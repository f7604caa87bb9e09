"""The one desk of this process; where a Space lends a GPU, answers come from one that has it."""

from __future__ import annotations

from functools import cache

from miagym.app.check.service import Answers, CheckDesk
from miagym.app.server.zero_gpu import lent
from miagym.checking.upload import Upload


@cache
def desk_on(device: str) -> CheckDesk:
    """The desk whose targets are on a device."""
    return CheckDesk(device, ask=ASK_THERE)


def answers_there(target: str, uploads: tuple[Upload, ...], is_set: bool) -> Answers:
    """`CheckDesk.answers` of a desk of the process that runs this, on its GPU if there is one."""
    return _desk_there().answers(target, uploads, is_set)


def _seconds(target: str, uploads: tuple[Upload, ...], is_set: bool) -> int:
    """The first call of a process loads the targets; each picture takes about a second."""
    return 15 + 2 * len(uploads)


@cache
def _desk_there() -> CheckDesk:
    return CheckDesk("auto")


ASK_THERE = lent(answers_there, _seconds)
