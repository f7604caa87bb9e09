"""Vision models of transformers by name: whole, from safetensors, with what reads their input."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from miagym.oracle import UnknownName

BATCH = 16
"""Pictures in one call of a vision model."""

UNLOADABLE = (OSError, ValueError, TypeError, KeyError, AttributeError, RuntimeError)
"""What transformers raises on names and folders that are no such model, or a broken one."""

UNUSED = "pooler."
"""What many files lack, and nobody asks here."""


def load_model(
    kind: str, processor: str, what: str, name: str, known: list[str]
) -> tuple[Any, Any]:
    """A model of transformers in evaluation mode, and its processor.

    Args:
        kind: its class in transformers, such as "AutoModel".
        processor: the class of what prepares its input, such as "AutoImageProcessor".
        what: what it is for, as an error calls it.
        name: a folder or hub id. Its weights must be safetensors.
        known: names of what needs no weights, for an error to suggest.

    Raises:
        UnknownName: if there is no such model, no way to read it, or its file lacks weights, in the
            place of which there would be random ones.
    """
    import transformers  # heavy, and seldom needed
    from transformers.utils import logging

    options = {"local_files_only": Path(name).is_dir()}
    logging.disable_progress_bar()
    verbosity = logging.get_verbosity()
    logging.set_verbosity_error()  # what it would report of missing weights is refused below
    try:
        prepare = getattr(transformers, processor).from_pretrained(name, **options)
        model, found = getattr(transformers, kind).from_pretrained(
            name, use_safetensors=True, output_loading_info=True, **options
        )
    except UNLOADABLE as error:
        reason = str(error).partition("\n")[0]
        hint = f"It is no folder or hub id of a vision model either: {reason}"
        raise UnknownName(what, name, known, hint) from error
    finally:
        logging.set_verbosity(verbosity)
    if missing := sorted(key for key in found["missing_keys"] if UNUSED not in key):
        hint = f"It is another kind of model: it lacks {len(missing)} weights, {missing[0]} first."
        raise UnknownName(what, name, known, hint)
    return model.eval(), prepare
