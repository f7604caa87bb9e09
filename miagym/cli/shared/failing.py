"""What a command says where something goes wrong, and its exit code."""

from __future__ import annotations

from miagym.errors import MiagymError

FAILED = 2


def sentence_of(error: MiagymError | OSError) -> str:
    """One sentence for a person, also of a full disk, or a folder that may not be written to."""
    if isinstance(error, MiagymError):
        return str(error)
    where = f"{error.filename}: " if error.filename else ""
    return f"{where}{error.strerror or error}. What is finished is kept."
