"""Attacks as people write them: `pia`, `pia(timestep=50)`, `trajectory-*`, `loss+reference`."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import fields, replace
from enum import Enum
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, get_type_hints

from pydantic import ConfigDict, TypeAdapter, ValidationError

from miagym.oracle import AttackError

if TYPE_CHECKING:
    from attacks.base import Attack

STRICT = ConfigDict(strict=True, arbitrary_types_allowed=True)


def split_names(text: str) -> list[str]:
    """Names between commas, those inside brackets and quotes aside: "pia(timestep=50), loss".

    Raises:
        AttackError: for a bracket that is never closed, or was never opened.
    """
    depth, quote, names = 0, "", [""]
    for character in text:
        if quote:
            quote = "" if character == quote else quote
        elif character in "'\"":
            quote = character
        elif character in "([":
            depth += 1
        elif character in ")]":
            depth -= 1
        if depth < 0:
            break
        if character == "," and not depth and not quote:
            names.append("")
        else:
            names[-1] += character
    if depth or quote:
        raise AttackError(
            f"Brackets or quotes do not match in {text!r}; expected attacks as in "
            '"pia(timestep=50),trajectory-*".'
        )
    return [name.strip() for name in names if name.strip()]


def matching(pattern: str, names: Sequence[str]) -> list[str]:
    """Names that a pattern with * or ? stands for.

    Raises:
        AttackError: if it stands for none.
    """
    found = [name for name in names if fnmatchcase(name, pattern)]
    if not found:
        raise AttackError(f"No attack's name matches {pattern!r}; `miagym attacks` lists them.")
    return found


def is_pattern(name: str) -> bool:
    """Whether it stands for several names."""
    return any(character in name.partition("(")[0] for character in "*?")


def arguments(text: str) -> dict[str, Any]:
    """The parameters in "timestep=50, norm=2.0", each a number, a text, a truth value or a tuple.

    Raises:
        AttackError: if it is something else.
    """
    try:
        call = ast.parse(f"_({text})", mode="eval").body
        if not isinstance(call, ast.Call) or call.args or None in [k.arg for k in call.keywords]:
            raise ValueError("a value without its parameter's name")
        return {str(each.arg): _value(each.value) for each in call.keywords}
    except (SyntaxError, ValueError) as error:
        raise AttackError(
            f"Cannot read the parameters ({text}); expected names and plain values, texts in "
            "quotes, as in (timestep=50, norm=2.0) or (encoder='patches')."
        ) from error


def _value(node: ast.expr) -> Any:
    """A literal; an enum's member, as `Signal.LOSS`, is read as its name."""
    return node.attr if isinstance(node, ast.Attribute) else ast.literal_eval(node)


def with_arguments(attack: Attack, name: str, given: dict[str, Any]) -> Attack:
    """The attack under other parameters than its own.

    Raises:
        AttackError: for a parameter that is unknown, or a value of the wrong kind.
    """
    hints = get_type_hints(type(attack))
    known = {
        f.name: getattr(attack, f.name)
        for f in fields(attack)
        if f.init and f.name not in ("rule", "attack")  # what was learned, or is modified
    }
    kinds = {each: hints[each] for each in known}
    takes = ", ".join(f"{each}={_shown(value)}" for each, value in known.items())
    takes = f"it takes {takes}" if known else "it takes none"
    values = {}
    for each, value in given.items():
        if each not in known:
            raise AttackError(f"{name} has no parameter {each!r}; {takes}.")
        try:
            values[each] = _of_kind(kinds[each], value)
        except ValidationError as error:
            raise AttackError(
                f"{name}: {each}={value!r} is of the wrong kind ({error.errors()[0]['msg']}); "
                f"{takes}."
            ) from error
    try:
        return replace(attack, **values)
    except (TypeError, ValueError) as error:
        raise AttackError(f"{name}: {error}") from error


def _of_kind(kind: Any, value: Any) -> Any:
    if isinstance(kind, type) and issubclass(kind, Enum) and isinstance(value, str):
        named = {member.name: member for member in kind} | {each.value: each for each in kind}
        value = named.get(value, value)
    return TypeAdapter(kind, config=None if isinstance(kind, type) else STRICT).validate_python(
        value, strict=True
    )


def _shown(value: object) -> str:
    return repr(value.value) if isinstance(value, Enum) else repr(value)
