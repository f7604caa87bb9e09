"""The form of the check tab: which model, which pictures, and examples to begin with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import gradio as gr

from miagym.app.check.examples import KINDS, LABELS, RULE, examples, has_examples
from miagym.app.html import part
from miagym.app.offers import Offer
from miagym.app.server.body_limit import MAX_PICTURES
from miagym.app.server.uploads import MAX_FILES, files_input, picture_input

NO_LIST = 0.0
"""The choice of no list: a dropdown has no value None."""
FDRS = (0.05, 0.1, 0.2)
"""False discovery rates of a list."""


@dataclass(frozen=True)
class OnePicture:
    """What stands below the answer: the caption, and examples by kind."""

    caption: gr.Textbox
    evidence: gr.Checkbox
    check: gr.Button
    examples: dict[str, gr.Button]


@dataclass(frozen=True)
class Several:
    """Pictures of a set."""

    files: gr.File
    evidence: gr.Checkbox
    check: gr.Button


@dataclass(frozen=True)
class TwoSides:
    """Pictures in question, and others that were not used."""

    used: gr.File
    unused: gr.File
    fdr: gr.Dropdown
    evidence: gr.Checkbox
    check: gr.Button


def model_choice(offers: Sequence[Offer]) -> gr.Radio:
    """The models that the page offers."""
    return gr.Radio(
        [(offer.label, offer.name) for offer in offers],
        value=offers[0].name,
        label="Used to train which model?",
        elem_id="check-target",
    )


def drop_place() -> gr.Image:
    """Where a picture is dropped or pasted."""
    return picture_input(label="Picture", height=230, buttons=[], elem_id="check-picture")


def one_picture(offers: Sequence[Offer]) -> OnePicture:
    """What may be said of a picture, and others to try."""
    caption = gr.Textbox(
        label="Caption (optional)",
        placeholder="as it may have stood beside it: cat, animal",
        info="Without one, it is compared with pictures that were asked about without theirs.",
        max_length=1000,
        elem_id="check-caption",
    )
    evidence = with_evidence("one")
    check = gr.Button("Check", variant="primary", elem_id="check-one")
    return OnePicture(caption, evidence, check, _thumbnails(offers) if has_examples(offers) else {})


def several_pictures() -> Several:
    """A set, which has an answer of its own."""
    about = (
        f"2 to {MAX_PICTURES} pictures of one source, one artist say. A set is often found where "
        "no single picture is. Captions: a .txt beside each picture, named like it."
    )
    gr.HTML(part("small", about))
    files = files_input(label="Pictures", height=230, elem_id="check-files")
    evidence = with_evidence("several")
    check = gr.Button("Check the set", variant="primary", elem_id="check-several")
    return Several(files, evidence, check)


def against_unused() -> TwoSides:
    """Two sides, of which only the second has to be known."""
    about = (
        f"Up to {MAX_PICTURES} pictures in question, and up to {MAX_FILES} of the same kind that "
        "this model cannot have seen: of the same hand, but made later, say. First it is looked "
        "whether the two differ in anything else."
    )
    gr.HTML(part("small", about))
    used = files_input(label="Pictures in question", height=150, elem_id="check-used")
    unused = files_input(label="Pictures that were not used", height=150, elem_id="check-unused")
    fdr = gr.Dropdown(
        [
            ("no list", NO_LIST),
            *((f"{100 * rate:.0f} % of them unused", rate) for rate in FDRS),
        ],
        value=FDRS[1],
        label="List single pictures, on average with at most",
        elem_id="check-fdr",
    )
    evidence = with_evidence("unused")
    check = gr.Button("Compare", variant="primary", elem_id="check-compare")
    return TwoSides(used, unused, fdr, evidence, check)


def with_evidence(where: str) -> gr.Checkbox:
    """Whether an answer shall come with a zip."""
    label, name = "With evidence to hand on (a zip)", f"check-evidence-{where}"
    return gr.Checkbox(False, label=label, container=False, elem_id=name)


def thumbnail(target: str, kind: str) -> str:
    """The file that a button of an example shows."""
    return str(examples(target)[kind].file)


def _thumbnails(offers: Sequence[Offer]) -> dict[str, gr.Button]:
    gr.HTML(part("small", "Or try a drawing of which the truth is known:"))
    with gr.Row(elem_classes="thumbnails"):
        buttons = {
            kind: gr.Button(
                LABELS[kind],
                icon=thumbnail(offers[0].name, kind),
                size="sm",
                min_width=80,
                elem_id=f"check-example-{number}",
            )
            for number, kind in enumerate(KINDS)
        }
    gr.HTML(part("small", RULE))
    return buttons
