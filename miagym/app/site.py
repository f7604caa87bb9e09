"""What all tabs of one served page share."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from miagym.app.check.offers import EMBEDDED, Offer
from miagym.app.server.rate_limit import Allowance
from miagym.app.server.zero_gpu import PAGE_DEVICE
from miagym.errors import UnknownName

TAB_NAMES = CHECK, EVALUATE, AUDIT, PLAY, ABOUT = "check", "evaluate", "audit", "play", "about"
"""The tabs, in their order."""

ROWS_AN_HOUR = 60_000


@dataclass(frozen=True)
class Site:
    """How a page is set up. No name of a model or of data comes from a visitor."""

    run: Path | None = None
    """A finished run that the page opens with; by default the one in the package."""
    first: str = CHECK
    """The tab that opens first; a class begins with `PLAY`."""
    allowance: Allowance = field(default_factory=partial(Allowance, ROWS_AN_HOUR))
    """Of one visitor, in UNet rows."""
    device: str = PAGE_DEVICE
    """Where targets are put."""
    offers: tuple[Offer, ...] = EMBEDDED
    """The models under which pictures are checked."""

    def __post_init__(self) -> None:
        """Raises UnknownName for a first tab that does not exist."""
        if self.first not in TAB_NAMES:
            raise UnknownName("tab", self.first, TAB_NAMES)
