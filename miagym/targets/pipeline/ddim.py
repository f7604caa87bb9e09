"""DDIM in the place of whatever scheduler a variance-preserving model came with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from diffusers import DDIMScheduler

from miagym.errors import TargetError
from miagym.targets.schedule import Predicts


def ddim_of(scheduler: Any, predicts: Sequence[Predicts], name: str) -> tuple[Any, Predicts]:
    """DDIM (Song et al. 2021) with the noise levels of a scheduler, and what its model predicts.

    Args:
        scheduler: of diffusers.
        predicts: what a model of this family may predict.
        name: of the target, for errors.

    Raises:
        TargetError: if it has no betas, or others than DDIM, or does what DDIM does not.
    """
    config, kind = scheduler.config, type(scheduler).__name__
    allowed = {way.value: way for way in predicts}
    predicted = config.get("prediction_type", "epsilon")
    if "beta_schedule" not in config or predicted not in allowed:
        raise TargetError(
            f"{name} has a {kind} that predicts {predicted!r}; expected a scheduler with betas, "
            f"whose model predicts {' or '.join(map(repr, allowed))}."
        )
    if config.get("thresholding") or config.get("timestep_type") == "continuous":
        raise TargetError(
            f"The {kind} of {name} clips each picture by its own size (thresholding) or tells the "
            "network noise levels and no timesteps (timestep_type 'continuous'), which miagym does "
            "not; expected neither."
        )
    try:
        sampler: Any = DDIMScheduler.from_config(config)
    except (NotImplementedError, ValueError) as error:
        raise TargetError(
            f"{name} has noise levels that DDIM has not ({error}); expected a scheduler whose "
            "beta_schedule is linear, scaled_linear or squaredcos_cap_v2."
        ) from error
    if len(sampler.alphas_cumprod) != config["num_train_timesteps"]:
        raise TargetError(
            f"{name} has {len(sampler.alphas_cumprod)} trained_betas for "
            f"{config['num_train_timesteps']} timesteps; expected as many."
        )
    return sampler, allowed[predicted]
