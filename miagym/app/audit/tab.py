"""Is the split fair? Audits of the embedded data, fair and shifted on purpose, and of a table."""

from __future__ import annotations

from functools import partial

import gradio as gr

from miagym.app.audit.service import (
    ROWS_A_SIDE,
    audit_split,
    audit_table,
    bill_of,
    uploaded_table,
)
from miagym.app.audit.view import audit_view
from miagym.app.figures import plot
from miagym.app.html import render
from miagym.app.server.client_id import client_id
from miagym.app.server.jobs import AUDITS, Work
from miagym.app.server.run_button import ButtonJob, RunAndStop
from miagym.app.server.sandboxed_table import MAX_BYTES, MAX_ROWS
from miagym.app.server.uploads import table_input, uploaded
from miagym.app.site import Site
from miagym.results import AuditRecord

MINE = "mine"
CHOICES = [
    ("Embedded drawings, dealt by lot", "clipart"),
    ("Members are animals, people, food (shifted on purpose)", "clipart-by-category"),
    ("Members' captions without punctuation (shifted on purpose)", "clipart-without-punctuation"),
    ("My own table", MINE),
]
ABOUT_SPLITS = (
    "Which pictures a model was trained on, and which not. Where the two sides differ in anything "
    "else, that alone can pass for a memory of the model."
)
STOPPED = "Stopped. The numbers shown are those of the audit before."


def audit_tab(site: Site) -> None:
    """The choice of a split, the audit, what it says."""
    found = site.opened
    opening = audit_view(found.results.audit if found else ())
    with gr.Row():
        with gr.Column(scale=1, min_width=280):
            split = gr.Radio(
                CHOICES, value="clipart", label="Split", info=ABOUT_SPLITS, elem_id="audit-split"
            )
            file = table_input(
                label="Table of captions and labels", height=170, elem_id="audit-file"
            )
            limits = {"megabytes": MAX_BYTES // 1_000_000, "rows": MAX_ROWS}
            gr.HTML(render("audit/about.html", rows_a_side=ROWS_A_SIDE, **limits))
            buttons = RunAndStop.build("Audit", "audit")
        with gr.Column(scale=2, min_width=420):
            shown = (
                gr.HTML(opening.verdict, elem_id="audit-verdict"),
                plot(opening.figure, "Told apart without a model", "audit-figure"),
                gr.HTML(opening.numbers, elem_id="audit-numbers", apply_default_css=False),
                gr.HTML(opening.downloads, elem_id="audit-downloads", apply_default_css=False),
            )
    # Who uploads a table wants it audited.
    file.upload(
        lambda: MINE, outputs=split, queue=False, show_progress="hidden", api_visibility="private"
    )
    job = ButtonJob(
        AUDITS,
        work=partial(_work, site),
        shown=lambda audit: tuple(vars(audit_view([audit])).values()),
        stopped=STOPPED,
    )
    buttons.wire(job, (split, file), shown)


def _work(site: Site, request: gr.Request, split: str, path: str | None) -> Work[AuditRecord]:
    """What is to be done, and paid."""
    client = client_id(request)
    if split != MINE:
        return site.allowance.free(client, partial(audit_split, split))
    subject = uploaded_table(uploaded(path))
    return site.allowance.paid(client, bill_of(subject), partial(audit_table, subject))
