"""A class: students' keys, and a handout for each."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from string import Template

from miagym.atomic import new_folder
from miagym.errors import HostError
from miagym.hosting.records.keys import add_players
from miagym.hosting.records.ledger import Ledger

KEYS = "keys.csv"
HANDOUT = "handout.md"


def create_class(
    ledger: Ledger, students: int, days: float | None, url: str, out: Path
) -> list[str]:
    """Adds students to a ledger, and writes their keys and handouts to a new folder.

    Args:
        ledger: of the host.
        students: how many; they are called student-01 and so on.
        days: until the keys expire.
        url: where students find the host.
        out: the folder.

    Returns:
        Their names.

    Raises:
        HostError: if the folder is there, or a name is taken; then nothing was added or written.
    """
    width = max(2, len(str(students)))
    names = [f"student-{number:0{width}}" for number in range(1, students + 1)]
    handout = Template(files("miagym.hosting").joinpath(HANDOUT).read_text(encoding="utf-8"))
    if out.exists():
        raise HostError(f"{out} exists, and may hold the keys of a class; name a new folder.")
    with ledger.transaction() as db, new_folder(out) as folder:  # keys count once they are written
        folder.chmod(0o700)  # students may have accounts on the same machine
        keys = add_players(db, names, days)
        lines = ["student,key", *(f"{name},{key}" for name, key in keys.items()), ""]
        Path(folder, KEYS).write_text("\n".join(lines), encoding="utf-8")
        for name, key in keys.items():
            text = handout.substitute(student=name, key=key, url=url)
            Path(folder, f"{name}.md").write_text(text, encoding="utf-8")
    return names
