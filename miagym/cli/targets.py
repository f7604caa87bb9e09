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
    str | None, typer.Option("--vae", help="Folder of another autoencoder for the target.")
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
) -> list[str]:
    """Names of targets with what is put on them: "BASE+FILE:0.8".

    Raises:
        TargetError: if something is to be put on one of several targets.
    """
    places = [*(loras or ()), *(embeddings or ()), *([vae] if vae else ())]
    if places and len(targets) > 1:
        raise TargetError(
            f"--lora, --embedding and --vae are for one --target, got {len(targets)}; with "
            f"several, say which: --target {targets[0]}+{places[0]}."
        )
    return ["+".join([target, *places]) for target in targets]
