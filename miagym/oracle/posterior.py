"""What a picture is encoded to by an autoencoder that answers a distribution."""

from __future__ import annotations

from enum import StrEnum

from miagym.errors import UnknownName


class Posterior(StrEnum):
    """What is taken of the encoder's posterior."""

    MEAN = "mean"
    """Its mean, so that nothing is random."""
    SAMPLE = "sample"
    """A sample by paired noise, one a candidate, as the seed paper's scripts draw one."""

    @classmethod
    def named(cls, name: str) -> Posterior:
        """The one of this name.

        Raises:
            UnknownName: if there is none.
        """
        if name not in list(cls):
            raise UnknownName("posterior", name, list(cls))
        return cls(name)
