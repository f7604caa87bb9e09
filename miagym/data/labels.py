"""What a label may say: one list for data sets and score files."""

from __future__ import annotations

MEMBER = ("true", "t", "yes", "y", "1", "1.0", "member", "members")
NONMEMBER = (
    *("false", "f", "no", "n", "0", "0.0"),
    *(f"non{joint}member{s}" for joint in ("", "-", "_", " ") for s in ("", "s")),
)
EXPECTED = "true or false, yes or no, 1 or 0, member or nonmember"
"""For error sentences: the usual ones."""

_MEANING = {**dict.fromkeys(MEMBER, True), **dict.fromkeys(NONMEMBER, False)}


def label_of(value: object) -> bool | None:
    """Whether a value stands for a member, whatever its case and the spaces around it.

    Hyphens stay where they are, since -1 is not 1.

    Returns:
        None if it is no label, such as a missing value, NaN or 2.
    """
    return _MEANING.get(str(value).strip().lower())
