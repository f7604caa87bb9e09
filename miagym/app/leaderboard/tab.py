"""Leaderboard: the standings of the host that the page runs beside."""

from __future__ import annotations

import asyncio
from typing import Any

import gradio as gr
from gradio.context import Context

from miagym.app.figures import plot
from miagym.app.html import part
from miagym.app.leaderboard.reading import read_board
from miagym.app.leaderboard.view import board_figure, board_html
from miagym.app.site import Site
from miagym.errors import HostError

READING = "The host is asked when this tab is opened."
READERS = 16
"""Visitors who are answered at once: a host that is silent keeps each for some seconds."""


def leaderboard_tab(site: Site) -> None:
    """The choice of a task, its standings, a figure; it stands inside a `gr.Tab`."""
    address, tab = site.host_url, Context.block
    assert address is not None and isinstance(tab, gr.Tab)
    with gr.Row():
        with gr.Column(scale=1, min_width=200):
            task = gr.Radio([], label="Task", elem_id="leaderboard-task")
            refresh = gr.Button("Refresh", elem_id="leaderboard-refresh")
        with gr.Column(scale=4, min_width=420):
            board = gr.HTML(
                part("status", READING), elem_id="leaderboard-board", apply_default_css=False
            )
            figure = plot(board_figure(None), "AUC of every player", "leaderboard-figure")

    async def shown(asked: Any) -> tuple[Any, Any, Any]:
        try:
            found = await read_board(address, asked)
        except HostError as error:
            return gr.skip(), part("status", str(error)), board_figure(None)
        choice = gr.Radio([one.task for one in found.tasks], value=found.task.task)
        # Drawing takes longer than reading, and other visitors wait for this thread.
        return choice, *await asyncio.to_thread(lambda: (board_html(found), board_figure(found)))

    # What was chosen is compared with the host's tasks, and not with those that Gradio remembers.
    gr.on(
        [tab.select, refresh.click, task.input],
        shown,
        task,
        (task, board, figure),
        preprocess=False,
        show_progress="minimal",
        show_progress_on=board,
        trigger_mode="always_last",
        concurrency_limit=READERS,
        api_visibility="private",
    )
