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
from textwrap import dedent
from uuid import uuid4
from weakref import WeakKeyDictionary

from miagym.evaluation.protocol import Attack

ENGINE = ("candidates.py", "data", "evaluation", "metrics", "oracle", "targets")
"""Parts of miagym that decide what an attack is asked and told, and what is made of it."""

Code = type | Callable[..., object]
"""A class or a function."""

_KNOWN: WeakKeyDictionary[Code, str] = WeakKeyDictionary()
"""A file that is edited later does not speak for what was loaded before."""


def attack_digests(attacks: Mapping[str, Attack]) -> dict[str, str]:
    """A digest of the code of each attack: its own, and that of whatever it is made of.

    That is each module that its classes come from or import, directly or not, but for miagym and
    installed libraries, whose versions are told apart elsewhere. Comments and layout do not count.
    A class whose code cannot be read, as one that was typed into a bare interpreter, has another
    digest each time, so that nothing old is taken for its own.

    Args:
        attacks: by name.

    Returns:
        By name, 16 hexadecimal digits.
    """
    return {name: _of_parts(_parts(attack)) for name, attack in attacks.items()}


def engine_digest() -> str:
    """A digest of the code of miagym that decides scores and what is measured of them."""
    root, made = Path(__file__).parent.parent, hashlib.sha256()
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
    if part not in _KNOWN:
        packages = {_top(part.__module__), "attacks"}
        kinds = getattr(part, "__mro__", (part,))
        bases = [base for base in kinds if _is_own(base.__module__, packages)]
        try:
            sources = _reachable({base.__module__ for base in bases}, packages)
        except (OSError, TypeError, SyntaxError):
            sources = {part.__qualname__: uuid4().hex}
        text = "\0".join(f"{name}\0{source}" for name, source in sorted(sources.items()))
        _KNOWN[part] = hashlib.sha256(text.encode()).hexdigest()
    return _KNOWN[part]


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
    return _typed(vars(sys.modules[name]))


def _typed(defined: Mapping[str, object]) -> str:
    """What a notebook imports and defines, as a module would have it."""
    named = [v for v in defined.values() if isinstance(v, type) or inspect.isfunction(v)]
    own = {v.__qualname__: inspect.getsource(v) for v in named if v.__module__ == "__main__"}
    others = {v.__module__ for v in named} | {
        v.__name__ for v in defined.values() if inspect.ismodule(v)
    }
    imports = [f"import {module}" for module in sorted(others - {"__main__"})]
    return "\n".join([*imports, *(dedent(source) for _, source in sorted(own.items()))])


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
