"""What a notebook's cells define, as the source of a module."""

from __future__ import annotations

import ast
import dis
import inspect
import linecache
from collections.abc import Callable, Iterator, Mapping
from enum import Enum
from pathlib import Path
from textwrap import dedent
from types import CodeType, ModuleType
from typing import TypeGuard

Code = type | Callable[..., object]
"""A class or a function."""


def typed(defined: Mapping[str, object]) -> str:
    """What a notebook imports and defines, as a module would have it.

    Raises:
        TypeError: if its code takes something from a cell that cannot be told from another.
    """
    named = [v for v in defined.values() if _is_code(v)]
    sources = {v.__qualname__: _in_cell(v) for v in named if v.__module__ == "__main__"}
    own = [dedent(source) for _, source in sorted(sources.items())]
    others = {v.__module__ for v in named} | {
        v.__name__ for v in defined.values() if inspect.ismodule(v)
    }
    taken = {name for source in own for name in _taken(compile(source, "a cell", "exec"))}
    values = {
        name: value
        for name, value in defined.items()
        if name in taken and not _is_code(value) and not inspect.ismodule(value)
    }
    imports = [f"import {module}" for module in sorted(others - {"__main__"})]
    return "\n".join([*imports, *(f"{n} = {_told(v)}" for n, v in sorted(values.items())), *own])


def _in_cell(value: Code) -> str:
    """Source of what a cell defines; of a class by its methods, as Python finds no class there.

    Raises:
        OSError: if there is none.
    """
    if not isinstance(value, type):
        return inspect.getsource(value)
    for method in vars(value).values():
        if inspect.isfunction(method):
            code = method.__code__
            text = "".join(linecache.getlines(code.co_filename))
            for node in ast.walk(ast.parse(text)):
                if (
                    isinstance(node, ast.ClassDef)
                    and node.name == value.__name__
                    and node.lineno <= code.co_firstlineno <= (node.end_lineno or 0)
                ):
                    return ast.unparse(node)
    return inspect.getsource(value)


def _is_code(value: object) -> TypeGuard[Code]:
    return isinstance(value, type) or inspect.isfunction(value)


def _taken(code: CodeType) -> Iterator[str]:
    """Names that code, and the code within it, takes from its module."""
    for one in dis.get_instructions(code):
        if one.opname in {"LOAD_GLOBAL", "LOAD_NAME"}:
            yield one.argval
        elif isinstance(one.argval, CodeType):
            yield from _taken(one.argval)


def _told(value: object) -> str:
    """A plain value as text, which another value has not.

    Raises:
        TypeError: if it is no number, text, path or collection of them.
    """
    if isinstance(value, Mapping):
        return _told(list(value.items()))
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_told, value))}]"
    if isinstance(value, set | frozenset):
        return f"{{{', '.join(sorted(map(_told, value)))}}}"
    of = getattr(value, "__self__", None)  # a method of an object says what the object is, too
    is_free = of is None or isinstance(of, type | ModuleType)
    if (inspect.isroutine(value) and is_free) or type(value).__module__ in {"typing", "types"}:
        return f"{value.__module__}.{getattr(value, '__qualname__', value)}"
    if value is None or isinstance(value, int | float | complex | str | bytes | Path | Enum):
        return repr(value)
    raise TypeError(f"no plain value: {type(value)}")
