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
