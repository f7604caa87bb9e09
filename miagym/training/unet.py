"""UNet of the embedded targets, on 16×16×4 latents, and its noise schedule."""

# diffusers annotates what is configurable only roughly:
# pyright: reportArgumentType=false

from __future__ import annotations

from diffusers import DDIMScheduler, UNet2DConditionModel

from miagym.training.text import WIDTH


def new_unet() -> UNet2DConditionModel:
    """New UNet of 1.6 M parameters; text enters at 8×8 and 4×4, where attention is cheap."""
    return _unet(channels=(32, 64, 80), heads=2, on_the_way_up="UpBlock2D")


def new_drawing_unet() -> UNet2DConditionModel:
    """New UNet of 3.1 M parameters that listens: text enters on the way up as well."""
    return _unet(channels=(32, 64, 128), heads=4, on_the_way_up="CrossAttnUpBlock2D")


def _unet(channels: tuple[int, int, int], heads: int, on_the_way_up: str) -> UNet2DConditionModel:
    return UNet2DConditionModel(
        sample_size=16,
        in_channels=4,
        out_channels=4,
        block_out_channels=channels,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", on_the_way_up, "UpBlock2D"),
        layers_per_block=1,
        cross_attention_dim=WIDTH,
        attention_head_dim=heads,
        norm_num_groups=8,
    )


def new_scheduler(prediction: str = "epsilon") -> DDIMScheduler:
    """New DDIM scheduler with the noise schedule of Stable Diffusion 1.x.

    Args:
        prediction: "epsilon", or "v_prediction" as in Stable Diffusion 2.1, which learns what is
            seen through much noise, where a drawing is decided, as eagerly as the rest.
    """
    return DDIMScheduler(
        prediction_type=prediction,
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        clip_sample=False,
        set_alpha_to_one=False,
        steps_offset=1,
    )
