"""What an attacker may ask. Levels are ordered: each allows all that the lower ones allow."""

from __future__ import annotations

from enum import IntEnum

from miagym.errors import UnknownName


class Access(IntEnum):
    """Access levels, after the threat models of the literature.

    Dubiński et al. (WACV 2024) count predicted noise as white box; later papers call it grey box,
    and so do we.
    """

    BLIND = 0
    """Nothing: the attacker sees the candidates and never the model."""
    BLACK = 1
    """Prompt in, image out; image in, varied image out."""
    GREY = 2
    """Also encode, decode, and predicted noise at any latent, timestep and prompt."""
    WHITE = 3
    """Also gradients."""

    def __str__(self) -> str:
        return self.name.lower()

    @classmethod
    def of(cls, access: Access | str) -> Access:
        """The access level of this name; a level is itself.

        Raises:
            UnknownName: if there is none.
        """
        levels = {str(level): level for level in cls}
        if str(access) not in levels:
            raise UnknownName("access level", str(access), levels)
        return levels[str(access)]
