"""A picture input that hands over the very file that was uploaded, and no other file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr
from gradio.data_classes import ImageData
from gradio.utils import get_upload_folder

from miagym.errors import DataError


class PictureInput(gr.Image):
    """`gr.Image` for uploads only: no `data:` URL, no path or address of the visitor's choosing.

    The stock component re-encodes pictures, which changes the very statistics that membership
    inference reads, and opens whatever path a forged request names.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(sources=["upload"], type="filepath", **options)

    def get_block_name(self) -> str:
        return "image"  # the front end draws it as the component that it is

    def preprocess(self, payload: ImageData | None) -> str | None:
        """The path of an uploaded file, untouched.

        Raises:
            gr.Error: if it was not uploaded.
        """
        if payload is None:
            return None
        return str(uploaded(payload.path))


def uploaded(path: str | None) -> Path:
    """A path that lies in Gradio's upload folder.

    Raises:
        DataError: if it does not.
    """
    folder = Path(get_upload_folder()).resolve()
    found = None if path is None else Path(path).resolve()
    if found is None or not found.is_relative_to(folder) or not found.is_file():
        raise DataError("Expected an uploaded picture; drop a file, or choose one.")
    return found
