"""Upload inputs that hand over the files as they were sent, and a page that takes no others."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import gradio as gr
from gradio.data_classes import FileData, ImageData, ListFiles
from gradio.utils import get_upload_folder

from miagym.app.server.errors import TOAST_SECONDS, page_errors
from miagym.app.server.request_errors import in_a_line
from miagym.errors import DataError

LOG = logging.getLogger(__name__)

MAX_FILES = 40
"""In one request: pictures, and texts beside them."""
FILE_ROUTE = "/gradio_api/file="
"""In the address under which the page serves a file; agents name their uploads by it."""
WRONG_INPUTS = "Expected the inputs that /gradio_api/info lists, each of its kind, and got others."


class UploadsOnly(gr.Blocks):
    """A page none of whose inputs takes a file that was not uploaded.

    Gradio itself opens what a forged request names: a file of the server's, a `data:` URL, any
    public address, whichever component it is sent to, a text box as well. This page does not.
    """

    async def preprocess_data(
        self, block_fn: Any, inputs: list[Any], state: Any, explicit_call: bool = False
    ) -> list[Any]:
        try:
            if not explicit_call:
                inputs = only_uploads(inputs)
            return await super().preprocess_data(block_fn, inputs, state, explicit_call)
        except Exception as error:  # of the wrong kind, too few, or nested without end
            if isinstance(error, gr.Error) and not error.print_exception:
                raise  # a sentence of ours; Gradio's own name types of Python
            LOG.warning("Inputs of %s: %s", block_fn.api_name, in_a_line(error))
            raise gr.Error(WRONG_INPUTS, print_exception=False, duration=TOAST_SECONDS) from error


def picture_input(**options: Any) -> gr.Image:
    """A `gr.Image` for uploads only, which gives the path of the file, untouched.

    The stock component re-encodes pictures, which changes the very statistics that membership
    inference reads. (Not a subclass: Gradio writes a .pyi beside the source of each.)

    Args:
        options: those of `gr.Image`, but for `sources` and `type`.
    """
    image = gr.Image(sources=["upload"], type="filepath", **options)
    setattr(image, "preprocess", _path)  # noqa: B010, so that pyright lets us
    return image


def table_input(**options: Any) -> gr.File:
    """A `gr.File` for one table, which gives its path, as `picture_input` does.

    Args:
        options: those of `gr.File`, but for `file_types`.
    """
    file = gr.File(file_types=[".csv", ".tsv", ".parquet"], **options)
    setattr(file, "preprocess", _path)  # noqa: B010, so that pyright lets us
    return file


def files_input(**options: Any) -> gr.File:
    """A `gr.File` for several uploads, which gives paths by the names that visitors gave them.

    Args:
        options: those of `gr.File`, but for `file_count`.
    """
    files = gr.File(file_count="multiple", **options)
    setattr(files, "preprocess", _by_name)  # noqa: B010, so that pyright lets us
    return files


@page_errors
def _path(payload: FileData | ImageData | None) -> str | None:
    return None if payload is None else str(uploaded(payload.path))


@page_errors
def _by_name(payload: ListFiles | FileData | None) -> dict[str, Path]:
    """A name that is there already gets a number."""
    if payload is None:
        return {}
    several = payload.root if isinstance(payload, ListFiles) else [payload]
    if len(several) > MAX_FILES:
        raise DataError(f"Expected at most {MAX_FILES} files at once, got {len(several)}.")
    found: dict[str, Path] = {}
    for file in several:
        path = uploaded(file.path)
        name = Path(file.orig_name or path.name).name
        while name in found:
            name = f"{Path(name).stem}+{Path(name).suffix}"
        found[name] = path
    return found


def uploaded(path: str | None) -> Path:
    """A path that lies in Gradio's upload folder.

    Raises:
        DataError: if it does not.
    """
    try:
        folder = Path(get_upload_folder()).resolve()
        found = None if path is None else Path(path).resolve()
        if found is not None and found.is_relative_to(folder) and found.is_file():
            return found
    except (OSError, ValueError):  # a name that is too long, or holds a NUL
        pass
    raise DataError(
        "Expected an uploaded file, and got none that this page holds; upload it first."
    )


@page_errors
def only_uploads(values: list[Any]) -> list[Any]:
    """A visitor's values, in which whatever looks like a file is an uploaded one.

    Raises:
        gr.Error: if one is not.
    """
    return [_checked(value) for value in values]


def _checked(value: Any) -> Any:
    if isinstance(value, list):
        return [_checked(one) for one in value]
    if not isinstance(value, dict):
        return value
    if isinstance(value.get("path"), str):
        path = value["path"]
        path = unquote(path.partition(FILE_ROUTE)[2]) if FILE_ROUTE in path else path
        return {**value, "path": str(uploaded(path))}
    if isinstance(value.get("url"), str):
        uploaded(None)
    return {key: _checked(one) for key, one in value.items()}
