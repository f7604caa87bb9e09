"""MCP: corrections where Gradio's server for agents does not do as the page promises."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.utils import get_upload_folder

from miagym.app.server.client_id import MCP_CLIENT


def json_answer(answer: dict[str, Any], request: gr.Request) -> dict[str, Any] | str:
    """An answer for a program as it is, for an agent as JSON text.

    Gradio hands an agent `str` of an answer, which of a dictionary would be Python.
    """
    by_agent = request.headers.get("x-gradio-user") == MCP_CLIENT
    return json.dumps(answer, ensure_ascii=False) if by_agent else answer


def raw_json(**options: Any) -> gr.JSON:
    """A `gr.JSON` that leaves text as it is, which the stock component would parse.

    Args:
        options: those of `gr.JSON`.
    """
    output = gr.JSON(**options)
    setattr(output, "postprocess", lambda value: value)  # noqa: B010, so that pyright lets us
    return output


class AgentUploads(set[str]):
    """Files that Gradio makes of agents' `data:` URLs, which it would never delete by itself.

    Append one to `temp_file_sets` of a page, and they go as uploads do.
    """

    def __iter__(self) -> Iterator[str]:
        folder = Path(get_upload_folder())
        return (str(file) for file in folder.glob("*/file*") if file.is_file())
