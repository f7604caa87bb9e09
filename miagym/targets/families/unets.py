"""What all denoisers of Stable Diffusion's kind are checked for."""

from __future__ import annotations

from typing import Any

from miagym.errors import TargetError

CONDITIONS = {
    "time_cond_proj_dim": "a guidance scale beside the time, as latent consistency models are",
    "class_embed_type": "classes",
    "num_class_embeds": "classes",
    "encoder_hid_dim_type": "images or projected texts",
}
"""What a UNet may be told that no target of ours tells it."""


def check_plain(name: str, config: Any) -> None:
    """Refuses a UNet that expects to be told more than text.

    Raises:
        TargetError: naming what.
    """
    for key, what in CONDITIONS.items():
        if config.get(key) is not None:
            raise TargetError(
                f"The UNet of {name} is told {what} ({key}={config[key]!r}), which miagym would "
                "leave out; expected a UNet that is told a text and nothing else."
            )


def square_size(name: str, size: object) -> int:
    """The side of a model's latents, as its configuration tells it.

    Raises:
        TargetError: if it is missing, or not square.
    """
    if isinstance(size, list | tuple) and len(size) == 2 and size[0] == size[1]:
        size = size[0]
    if isinstance(size, int) and not isinstance(size, bool) and size > 0:
        return size
    raise TargetError(
        f"{name} tells no square size of its latents: expected a whole number as sample_size in "
        f"the configuration of its network, got {size!r}; write the size that it was trained at "
        "there."
    )
