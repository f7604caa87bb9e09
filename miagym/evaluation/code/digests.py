"""Digests of code: which attack, and which miagym, has made a score."""

from __future__ import annotations

import ast
import hashlib
import inspect
import sys
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import is_dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from uuid import uuid4
from weakref import WeakKeyDictionary

from miagym.evaluation.code.cells import Code, typed
from miagym.evaluation.protocol import Attack

ENGINE = ("candidates.py", "data", "evaluation", "metrics", "oracle", "targets")
"""Parts of miagym that decide what an attack is asked and told, and what is made of it."""

_KNOWN: WeakKeyDictionary[Code, str] = WeakKeyDictionary()
"""A file that is edited later does not speak for what was loaded before; a notebook does, in which
functions that are there already take what a later cell defines."""


def attack_digests(attacks: Mapping[str, Attack]) -> dict[str, str]:
    """A digest of the code of each attack: its own, and that of whatever it is made of.

    That is each module that its classes come from or import, directly or not, but for miagym and
    installed libraries, whose versions are told apart elsewhere. Comments and layout do not count.
    Of a notebook, plain values count too that its functions take from other cells. A class whose
    code cannot be read, as one that was typed into a bare interpreter or that takes an array from
    another cell, has another digest each time, so that nothing old is taken for its own.

    Args:
        attacks: by name.

    Returns:
        By name, 16 hexadecimal digits.
    """
    return {name: _of_parts(_parts(attack)) for name, attack in attacks.items()}


def engine_digest() -> str:
    """A digest of the code of miagym that decides scores and what is measured of them."""
    root, made = Path(__file__).parents[2], hashlib.sha256()
    parts = (root / part for part in ENGINE)
    files = {file for part in parts for file in ([part] if part.is_file() else part.rglob("*.py"))}
    for file in sorted(files):
        made.update(file.relative_to(root).as_posix().encode() + b"\0" + file.read_bytes())
    return made.hexdigest()[:16]


def _parts(value: object) -> set[Code]:
    """The class of an attack, and of all that it holds: an attack within, a setting, a rule."""
    if isinstance(value, (list, tuple)):
        return {part for each in value for part in _parts(each)}
    if inspect.isfunction(value):
        return {value}
    holds = _is_attack(value) or (is_dataclass(value) and not isinstance(value, type))
    held = vars(value).values() if holds and hasattr(value, "__dict__") else ()
    return {type(value)}.union(*map(_parts, held))


def _is_attack(value: object) -> bool:
    """Whether it is an attack, or a class of attacks: nothing else has variants."""
    return hasattr(value, "variants")


def _is_own(module: str, packages: Collection[str]) -> bool:
    """Whether a module is of these packages, or of no library: a script's neighbour, say."""
    top = _top(module)
    if top in packages or top == "__main__":
        return True
    if top == "miagym" or top in sys.stdlib_module_names:
        return False
    file = _file(module)
    return file is not None and "site-packages" not in Path(file).parts


def _of_parts(parts: set[Code]) -> str:
    made = hashlib.sha256()
    for digest in sorted(
        _of_part(part)
        for part in parts
        if _is_attack(part) or _is_own(part.__module__, ["attacks"])
    ):
        made.update(digest.encode())
    return made.hexdigest()[:16]


def _of_part(part: Code) -> str:
    packages = {_top(part.__module__), "attacks"}
    kinds = getattr(part, "__mro__", (part,))
    names = {base.__module__ for base in kinds if _is_own(base.__module__, packages)}
    now = ""
    if "__main__" in names and _file("__main__") is None:
        now = _or_another_each_time(lambda: _parsed(_source("__main__"), "__main__")[0])
    if part not in _KNOWN:
        _KNOWN[part] = _or_another_each_time(lambda: _of_files(names, packages))
    return hashlib.sha256((_KNOWN[part] + now).encode()).hexdigest()


def _of_files(names: set[str], packages: set[str]) -> str:
    sources = _reachable(names, packages)
    text = "\0".join(
        f"{name}\0{source}"
        for name, source in sorted(sources.items())
        if name != "__main__" or _file(name)
    )
    return hashlib.sha256(text.encode()).hexdigest()


def _or_another_each_time(read: Callable[[], str]) -> str:
    """What is read, or, of code that cannot be read, what nothing old can be taken for."""
    try:
        return read()
    except (OSError, TypeError, SyntaxError):
        return uuid4().hex


def _reachable(names: set[str], packages: set[str]) -> dict[str, str]:
    """By name, source of these modules and of what they import out of these packages."""
    found: dict[str, str] = {}
    waiting = sorted(names)
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        found[name], imported = _parsed(_source(name), name)
        waiting += [each for each in imported if _is_own(each, packages) and _file(each)]
    return found


@lru_cache(maxsize=1024)
def _parsed(source: str, name: str) -> tuple[str, tuple[str, ...]]:
    """What a module says, and names of what it imports."""
    tree = ast.parse(source)
    return ast.dump(tree), tuple(_imported(tree, name))


def _imported(tree: ast.Module, name: str) -> Iterator[str]:
    """Names of what a module imports, anywhere in it; a part of a package may be a module."""
    package = name if hasattr(sys.modules.get(name), "__path__") else name.rpartition(".")[0]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package.rsplit(".", node.level - 1)[0] if node.level else ""
            module = ".".join(part for part in (above, node.module) if part)
            yield module
            yield from (f"{module}.{alias.name}" for alias in node.names)


def _source(name: str) -> str:
    file = _file(name)
    if file is not None:
        return Path(file).read_text(encoding="utf-8")
    if name != "__main__":
        raise OSError(f"{name} has no source")
    return typed(vars(sys.modules[name]))


def _file(name: str) -> str | None:
    """Where a module's source lies; None for what has none, or is a name within a module."""
    try:
        spec = None if name in sys.modules else find_spec(name)
    except (ImportError, ValueError):
        return None
    file = getattr(sys.modules.get(name), "__file__", None) or (spec and spec.origin)
    return file if file and file.endswith(".py") else None


def _top(module: str) -> str:
    return module.partition(".")[0]
