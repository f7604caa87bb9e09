"""Silence where diffusers and transformers would log what we say ourselves, or need not say."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

LOGGERS = [logging.getLogger(name) for name in ("diffusers", "transformers")]

_lock = Lock()
_before: list[list[int]] = []
"""Levels before each context that is open; the first are those to go back to."""


@contextmanager
def quiet_pipelines() -> Iterator[None]:
    """Context in which diffusers and transformers log nothing; what goes wrong is raised.

    Several threads may be in it at once: the last to leave gives the loggers their levels back.
    """
    with _lock:
        _before.append([logger.level for logger in LOGGERS])
        for logger in LOGGERS:
            logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        with _lock:
            levels = _before[0]
            _before.pop()
            if not _before:
                for logger, level in zip(LOGGERS, levels, strict=True):
                    logger.setLevel(level)
