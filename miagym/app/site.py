"""What all tabs of one served page share."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from functools import cached_property
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from miagym.app.host_address import host_address
from miagym.app.offers import EMBEDDED, Offer
from miagym.app.server.rate_limit import Allowance
from miagym.app.server.zero_gpu import PAGE_DEVICE
from miagym.errors import UnknownName

if TYPE_CHECKING:
    from miagym.api.run import Run

TAB_NAMES = CHECK, EVALUATE, AUDIT, PLAY, ABOUT = "check", "evaluate", "audit", "play", "about"
"""The tabs, in their order."""
LEADERBOARD = "leaderboard"
"""A tab more, before the last, on a page that is told of a host."""

ROWS_AN_HOUR = 60_000
LOOPBACK = ("localhost", "::1")
"""Beside addresses that begin with 127."""


def default_allowance(host: str | None = None) -> Allowance:
    """None on one's own machine, which only oneself can reach; else `ROWS_AN_HOUR`.

    Args:
        host: address that is listened on; by default what the environment tells Gradio.
    """
    host = os.environ.get("GRADIO_SERVER_NAME", "127.0.0.1") if host is None else host
    is_own = host.startswith("127.") or host in LOOPBACK
    return Allowance(None if is_own and not os.environ.get("SPACE_ID") else ROWS_AN_HOUR)


@dataclass(frozen=True)
class Site:
    """How a page is set up. No name of a model or of data comes from a visitor."""

    run: Path | None = None
    """A finished run that the page opens with; by default the one in the package."""
    first: str = CHECK
    """The tab that opens first; a class begins with `PLAY`."""
    allowance: Allowance = field(default_factory=default_allowance)
    """Of one visitor, in UNet rows."""
    per_browser: bool = False
    """Whether a visitor is a browser, as in a class behind one address; else it is an address."""
    device: str = PAGE_DEVICE
    """Where targets are put."""
    offers: tuple[Offer, ...] = EMBEDDED
    """The models under which pictures are checked."""
    host_url: str | None = None
    """Address of a `miagym host` whose leaderboard is a tab; without one there is no such tab."""

    @cached_property
    def opened(self) -> Run | None:
        """The run that the page opens with, read once; None if the package has none.

        Raises:
            RunError: if `run` is a folder that holds no finished run, or one that cannot be read.
        """
        from miagym.api.run import Run

        shipped = Path(str(files("miagym").joinpath("assets/demo")))
        if self.run is None and not (shipped / "results.json").is_file():
            return None
        return Run.open(self.run or shipped)

    def __post_init__(self) -> None:
        """Refuses what cannot be served.

        Raises:
            SettingsError: for what is no address of a host.
            UnknownName: for a first tab that does not exist.
        """
        if self.host_url is not None:
            object.__setattr__(self, "host_url", host_address(self.host_url))
        if self.first not in self.tabs:
            raise UnknownName("tab", self.first, self.tabs)

    @property
    def tabs(self) -> tuple[str, ...]:
        """Names of the tabs, in their order."""
        *others, last = TAB_NAMES
        return TAB_NAMES if self.host_url is None else (*others, LEADERBOARD, last)
