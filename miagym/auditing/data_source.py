"""Input of an audit: labelled captions, pictures, or both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from miagym.data.dataset import Dataset
from miagym.data.pictures import LazyPictures, Picture, take
from miagym.data.source import Source
from miagym.data.splits import subsample
from miagym.errors import DataError


@dataclass(frozen=True, eq=False)
class AuditData:
    """Labelled rows to audit, with captions, pictures or embeddings.

    Args:
        name: what messages call it.
        member: labels (n,).
        captions: n texts, or None.
        pictures: n encoded pictures or files, in memory or lazy, or None.
        groups: group number of each row (n,) that a fair split would not have cut, or None.
        embeddings: (n, d) of an encoder, or None.
        warnings: what is odd about captions, and what lies beside the pictures, in sentences.
        names: what the data call each row (n): its file; None if they name none.

    Raises:
        DataError: if lengths differ, or one side is empty.
    """

    name: str
    member: NDArray[np.bool_]
    captions: tuple[str, ...] | None = None
    pictures: Sequence[Picture] | None = None
    groups: NDArray[np.integer] | None = None
    embeddings: NDArray[np.floating] | None = None
    warnings: tuple[str, ...] = ()
    names: tuple[str | None, ...] | None = None

    def __post_init__(self) -> None:
        n = len(self.member)
        if not n:
            raise DataError(f"{self.name} has no rows.")
        for name in ("captions", "pictures", "groups", "embeddings", "names"):
            column = getattr(self, name)
            if column is not None and len(column) != n:
                raise DataError(f"{self.name}: got {len(column)} {name} and {n} labels.")
        if self.captions is None and self.pictures is None and self.embeddings is None:
            raise DataError(f"{self.name} has neither captions nor pictures to look at.")
        if self.embeddings is not None and not np.isfinite(self.embeddings).all():
            raise DataError(f"{self.name}: embeddings hold NaN or infinity.")
        if self.member.all() or not self.member.any():
            raise DataError(
                f"{self.name} holds only {'members' if self.member.all() else 'non-members'}; an "
                "audit compares the two sides."
            )

    def __len__(self) -> int:
        return len(self.member)

    def take(self, rows: NDArray[np.integer]) -> AuditData:
        """Some rows, in the order given."""
        return AuditData(
            self.name,
            self.member[rows],
            None if self.captions is None else tuple(self.captions[row] for row in rows),
            None if self.pictures is None else _PictureSubset(self.pictures, rows),
            None if self.groups is None else self.groups[rows],
            None if self.embeddings is None else self.embeddings[rows],
            self.warnings,
            None if self.names is None else tuple(self.names[row] for row in rows),
        )

    @classmethod
    def of(cls, data: Dataset | Source) -> AuditData:
        """All rows of a data set, or of a source, with captions if there are any."""
        captions = data.captions if any(data.captions) else None
        return cls(
            data.name,
            data.member,
            captions,
            data.pictures,
            data.groups,
            warnings=data.warnings,
            names=data.names,
        )

    def drawn(self, limit: int, seed: int) -> NDArray[np.intp]:
        """Draws at most `limit` rows of each side, in order, by the seed alone."""
        return np.sort(subsample(limit, self.member, np.random.default_rng(seed)))


class _PictureSubset(LazyPictures):
    """Subset of pictures, which stay where they are until they are asked for."""

    def __init__(self, pictures: Sequence[Picture], rows: NDArray[np.integer]) -> None:
        self._pictures, self._rows = pictures, rows

    def __len__(self) -> int:
        return len(self._rows)

    def take(self, rows: Sequence[int] | NDArray[np.integer]) -> list[Picture]:
        return take(self._pictures, self._rows[np.asarray(rows, dtype=np.intp)])
