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
Compiled = Annotated[
    bool,
    typer.Option(
        "--compiled", help="Have torch compile the models: slow at first, to be faster later."
    ),
]
Posterior = Annotated[
    str, typer.Option(help="What pictures are encoded to: mean of the posterior, or sample.")
]


KnownData = Annotated[
    str | None,
    typer.Option(
        "--data", help="Members of the target and non-members like them; known if embedded."
    ),
]
AskedAttacks = Annotated[
    str | None, typer.Option("--attacks", help="Names with commas; quick ones by default.")
]
AskedAccess = Annotated[
    str, typer.Option("--access", help="black or grey: which attacks by default.")
]
PublicBase = Annotated[
    str | None,
    typer.Option(
        "--reference",
        help="Public base of the target, to calibrate by, or -; embedded targets, LoRAs and "
        "trainings of miagym name theirs.",
    ),
]
BatchSize = Annotated[int, typer.Option(min=1, help="Latents in one call of the target.")]


def base_named(given: str | None) -> str | None:
    """The public base as the front door takes it: "-" is none, None the one that is known."""
    from miagym.evaluation.config import AUTO

    return AUTO if given is None else None if given == "-" else given


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
