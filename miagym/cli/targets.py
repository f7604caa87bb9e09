"""Options of commands that load a target, and what they put on it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from miagym.errors import TargetError

Lora = Annotated[
    list[str] | None,
    typer.Option(
        "--lora", help="File of a LoRA to put on the target, with its scale: FILE:0.8; repeatable."
    ),
]
Embedding = Annotated[
    list[str] | None,
    typer.Option("--embedding", help="File of a word that was learned (textual inversion)."),
]
Vae = Annotated[
    str | None, typer.Option("--vae", help="Folder or file of another autoencoder for the target.")
]
Scheduler = Annotated[
    str | None,
    typer.Option("--scheduler", help="Folder of another scheduler: noise and what is predicted."),
]
Dtype = Annotated[str, typer.Option(help="auto, float32, float16, bfloat16.")]
Posterior = Annotated[
    str, typer.Option(help="What pictures are encoded to: mean of the posterior, or sample.")
]


def with_additions(
    targets: Sequence[str],
    loras: Sequence[str] | None,
    embeddings: Sequence[str] | None,
    vae: str | None,
    scheduler: str | None,
) -> list[str]:
    """Names of targets with what is put on them: "BASE+FILE:0.8".

    Raises:
        TargetError: if something is to be put on one of several targets.
    """
    places = [*(loras or ()), *(embeddings or ()), *filter(None, (vae, scheduler))]
    if places and len(targets) > 1:
        raise TargetError(
            "--lora, --embedding, --vae and --scheduler are for one --target, got "
            f"{len(targets)}; with several, say which: --target {targets[0]}+{places[0]}."
        )
    return ["+".join([target, *places]) for target in targets]
