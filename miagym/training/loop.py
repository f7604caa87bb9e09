"""Training loop of every network: seeded, resumable, its state in safetensors.

What a step trains on is a function of the step's number alone, so a run that was stopped and
resumed sees the same batches and the same noise as one that was left alone.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.optim.lr_scheduler import OneCycleLR
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from miagym.atomic import replacing
from miagym.errors import RunError, option

StepProgress = Callable[[range, str], Iterable[int]]
"""Wraps a range of steps and a label, to show how far it is."""


@dataclass(frozen=True)
class TrainingSchedule:
    """Length, learning rate and decay of a training."""

    steps: int
    learning_rate: float
    weight_decay: float = 0.01
    warm_up: float = 0.05
    """Share of the steps over which the learning rate rises; then it falls by a cosine."""
    ema_decay: float = 0.995
    state_every: int = 200
    """Steps between two states on disk, from which a stopped run resumes."""


def batch_of(step: int, n: int, size: int, seed: int) -> NDArray[np.int64]:
    """Rows of a batch (size,): each epoch permutes n rows afresh and drops the remainder."""
    size = min(size, n)
    epoch, place = divmod(step, n // size)
    order = np.random.default_rng((seed, epoch)).permutation(n)
    return order[place * size : (place + 1) * size]


def even_batch_of(step: int, n: int, size: int, seed: int) -> NDArray[np.int64]:
    """Rows of a batch of at most `size`: each epoch deals n rows into batches as even as can be.

    None is dropped, so that whoever is called a member was seen once an epoch.
    """
    steps = even_steps(n, size)
    epoch, place = divmod(step, steps)
    order = np.random.default_rng((seed, epoch)).permutation(n)
    return np.array_split(order, steps)[place]


def even_steps(n: int, size: int) -> int:
    """Number of batches of at most `size` in an epoch of n rows."""
    return -(-n // size)


def train(
    module: nn.Module,
    loss_at: Callable[[int], Tensor],
    schedule: TrainingSchedule,
    state: Path,
    progress: StepProgress,
    label: str,
    keep: dict[int, Callable[[nn.Module], None]] | None = None,
    gradients: Callable[[int], None] | None = None,
) -> nn.Module:
    """Trains `module` in place and returns the moving average of its weights.

    Args:
        module: what the loss depends on.
        loss_at: the loss of a step (scalar), from that step's batch.
        schedule: length, rate, decay.
        state: a safetensors file; where it exists, training goes on from it.
        progress: shows how far it is.
        label: what the progress calls this training.
        keep: called with the averaged module after these numbers of steps.
        gradients: mends the gradients of a step; by default their norm is clipped to 1.

    Raises:
        RunError: if `state` belongs to a training of another length.
    """
    ema = AveragedModel(
        module, multi_avg_fn=get_ema_multi_avg_fn(schedule.ema_decay), use_buffers=True
    )
    optimizer = torch.optim.AdamW(
        module.parameters(), lr=schedule.learning_rate, weight_decay=schedule.weight_decay
    )
    rate = OneCycleLR(
        optimizer,
        max_lr=schedule.learning_rate,
        total_steps=schedule.steps + 1,
        pct_start=schedule.warm_up,
        cycle_momentum=False,
    )
    done = _load(state, ema, optimizer, rate, schedule) if state.exists() else 0
    module.train()
    for step in progress(range(done, schedule.steps), label):
        loss = loss_at(step)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        if gradients is None:
            nn.utils.clip_grad_norm_(module.parameters(), 1.0)
        else:
            gradients(step)
        optimizer.step()
        rate.step()
        ema.update_parameters(module)
        if keep and step + 1 in keep:
            keep[step + 1](ema.module)
        if (step + 1) % schedule.state_every == 0 or step + 1 == schedule.steps:
            _save(state, ema, optimizer, rate, schedule, step + 1)
    return ema.module.eval()


def _save(
    path: Path,
    ema: AveragedModel,
    optimizer: torch.optim.Optimizer,
    rate: OneCycleLR,
    schedule: TrainingSchedule,
    step: int,
) -> None:
    moments = optimizer.state_dict()["state"]
    tensors = {
        f"optimizer.{i}.{name}": value for i, s in moments.items() for name, value in s.items()
    }
    parameters = optimizer.param_groups[0]["params"]
    tensors |= {f"parameter.{i}": p.detach().clone() for i, p in enumerate(parameters)}
    tensors |= {f"ema.{name}": value.clone() for name, value in ema.state_dict().items()}
    numbers = {
        "step": step,
        "schedule": vars(schedule),
        "rate": {k: v for k, v in rate.state_dict().items() if isinstance(v, int | float | list)},
        "learning_rate": optimizer.param_groups[0]["lr"],
    }
    with replacing(path) as partial:
        save_file(tensors, partial, metadata={k: json.dumps(v) for k, v in numbers.items()})


def _load(
    path: Path,
    ema: AveragedModel,
    optimizer: torch.optim.Optimizer,
    rate: OneCycleLR,
    schedule: TrainingSchedule,
) -> int:
    parameters = optimizer.param_groups[0]["params"]
    with safe_open(path, framework="pt") as file:
        numbers = {name: json.loads(text) for name, text in file.metadata().items()}
        if numbers["schedule"] != vars(schedule):
            raise RunError(
                f"{path} holds a training with another schedule; delete it or choose "
                f"another {option('out')}."
            )
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    with torch.no_grad():
        for i, parameter in enumerate(parameters):
            parameter.copy_(tensors[f"parameter.{i}"])
    ema.load_state_dict(
        {k.removeprefix("ema."): v for k, v in tensors.items() if k.startswith("ema.")}
    )
    moments: dict[int, dict[str, Tensor]] = {}
    for name, value in tensors.items():
        if name.startswith("optimizer."):
            _, i, key = name.split(".")
            moments.setdefault(int(i), {})[key] = value
    optimizer.load_state_dict(optimizer.state_dict() | {"state": moments})
    optimizer.param_groups[0]["lr"] = numbers["learning_rate"]
    rate.load_state_dict(numbers["rate"])
    return numbers["step"]
