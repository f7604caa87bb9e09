"""Running a student's file statement by statement: past an open gap, only definitions are run."""

from __future__ import annotations

import ast
import traceback
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from miagym.exercises.source import StudentCode

DEFINITIONS = (ast.FunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom, ast.Assign, ast.AnnAssign)


@dataclass(frozen=True)
class RunResult:
    """Names, gap and error after a file was run.

    Args:
        names: what it defined.
        open: whether it came upon a gap.
        error: why it stopped, with the line, in words; None if only a gap stood in its way.
        unread: whether nothing of it could be read, for a slip in its grammar.
        ahead: names that it defines in what was not run any more.
    """

    names: dict[str, Any]
    open: bool
    error: str | None
    unread: bool = False
    ahead: frozenset[str] = frozenset()

    def reached(self, name: str) -> bool:
        """Whether the file came as far as where it defines a name, or does not define it at all."""
        return name in self.names or not (self.unread or name in self.ahead)


def run_source(source: StudentCode, module: ModuleType) -> RunResult:
    """Runs a file in a module, cell after cell, up to the first gap that it reaches.

    A gap raises `NotImplementedError`. What comes after may need what it should have given, so from
    there on only functions, classes, imports and plain values are taken.
    """
    names, gap = vars(module), False
    try:
        statements = [*_statements(source)]
    except (SyntaxError, ValueError) as error:
        line = error.lineno if isinstance(error, SyntaxError) else None
        place = f"{source.place(line)}: " if line else ""
        return RunResult(names, gap, f"{place}{_told(error)}", unread=True)
    future = [s for s in statements if isinstance(s, ast.ImportFrom) and s.module == "__future__"]
    for number, statement in enumerate(statements):
        if statement in future or (gap and not _defines(statement)):
            continue  # `__future__` holds for every statement, as in a notebook
        code = compile(ast.Module([*future, statement], []), str(source.path), "exec")
        try:
            exec(code, names)
        except NotImplementedError:
            gap = True
        except (Exception, SystemExit) as error:
            if not gap:
                ahead = frozenset(_defined(statements[number:]))
                return RunResult(names, gap, where(error, source), ahead=ahead)
    return RunResult(names, gap, None)


def where(error: BaseException, source: StudentCode) -> str:
    """Describes an error with the last line of the student's file that it went through."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if frame.filename == str(source.path)]
    if not own:
        return _told(error)
    name = "" if own[-1].name == "<module>" else f", in {own[-1].name}"
    return f"{source.place(own[-1].lineno or 1)}{name}: {_told(error)}"


def _statements(source: StudentCode) -> Iterator[ast.stmt]:
    """Statements of all cells, with their lines counted over all.

    Each cell is read alone, as Jupyter does: `from __future__` may begin any of them.
    """
    for first, cell in zip(source.first_lines(), source.cells, strict=True):
        text = "\n" * (first - 1) + cell
        compile(text, str(source.path), "exec")  # finds what parsing alone does not
        yield from ast.parse(text).body


def _defines(statement: ast.stmt) -> bool:
    """Whether a statement defines something without computing it."""
    if isinstance(statement, ast.Assign | ast.AnnAssign):
        return not any(isinstance(part, ast.Call) for part in ast.walk(statement))
    return isinstance(statement, DEFINITIONS)


def _defined(statements: Iterable[ast.stmt]) -> Iterator[str]:
    """Names that statements would define, were they run."""
    for statement in statements:
        if isinstance(statement, ast.FunctionDef | ast.ClassDef):
            yield statement.name
        else:
            names = (node for node in ast.walk(statement) if isinstance(node, ast.Name))
            yield from (name.id for name in names if isinstance(name.ctx, ast.Store))


def _told(error: BaseException) -> str:
    if isinstance(error, SyntaxError):
        return f"{type(error).__name__}: {error.msg}"
    if isinstance(error, SystemExit):
        return "it ends Python (SystemExit)"
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text[:300]}" if text else type(error).__name__
