"""The form of the check tab: which model, which pictures, and examples to begin with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import gradio as gr

from miagym.app.check.examples import KINDS, LABELS, RULE, examples, has_examples
from miagym.app.html import part
from miagym.app.offers import Offer
from miagym.app.server.body_limit import MAX_PICTURES
from miagym.app.server.uploads import files_input, picture_input


@dataclass(frozen=True)
class OnePicture:
    """What stands below the answer: the caption, and examples by kind."""

    caption: gr.Textbox
    check: gr.Button
    examples: dict[str, gr.Button]


@dataclass(frozen=True)
class Several:
    """Pictures of a set."""

    files: gr.File
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
    check = gr.Button("Check", variant="primary", elem_id="check-one")
    return OnePicture(caption, check, _thumbnails(offers) if has_examples(offers) else {})


def several_pictures() -> Several:
    """A set, which has an answer of its own."""
    about = (
        f"2 to {MAX_PICTURES} pictures of one source, one artist say. A set is often found where "
        "no single picture is. Captions: a .txt beside each picture, named like it."
    )
    gr.HTML(part("small", about))
    files = files_input(label="Pictures", height=230, elem_id="check-files")
    return Several(files, gr.Button("Check the set", variant="primary", elem_id="check-several"))


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
