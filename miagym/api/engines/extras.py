"""Modules that come with an extra of miagym."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

from miagym.errors import SettingsError


def imported(module: str, extra: str) -> ModuleType:
    """A module that comes with an extra of miagym.

    Raises:
        SettingsError: if it is not installed, with the command that installs it.
    """
    try:
        return import_module(module)
    except ImportError as error:
        raise SettingsError(
            f"{module} cannot be imported ({error}); install it with "
            f"`pip install 'miagym[{extra}]'`."
        ) from error
