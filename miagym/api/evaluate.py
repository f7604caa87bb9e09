"""`miagym.evaluate`: attacks on targets whose members are known."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal

from miagym.api.engines.running import run_on
from miagym.api.engines.work import EngineWork
from miagym.api.names import (
    AttackLike,
    DataLike,
    Named,
    TargetLike,
    attacks_of,
    blind_attacks,
    data_of,
    member_values,
    target_of,
    with_blind_rows,
)
from miagym.api.run import Run
from miagym.api.run_config import call_of, run_config
from miagym.data.labels import MemberValue
from miagym.errors import DataError, SettingsError, option, told
from miagym.evaluation.config import AUTO, Config, Match, Objects
from miagym.evaluation.opening import Join
from miagym.evaluation.shadow_models import shadow_names
from miagym.evaluation.sharding.shards import WHOLE, Shard
from miagym.oracle import Budget
from miagym.oracle.defences import Defence
from miagym.oracle.posterior import Posterior
from miagym.progress import Progress, silent

ModelLike = TargetLike | None
Tell = Callable[[str], None]


def evaluate(
    target: TargetLike | Sequence[TargetLike],
    data: DataLike | Sequence[DataLike] | None = None,
    attacks: AttackLike = "all",
    *,
    reference: ModelLike | Sequence[ModelLike] = AUTO,
    null: ModelLike | Sequence[ModelLike] = AUTO,
    other_generator: ModelLike | Sequence[ModelLike] = None,
    shadows: str | Path | Sequence[str | Path] = (),
    member_value: MemberValue | None = None,
    out: str | Path | None = None,
    budget: int | None = None,
    limit: int | None = None,
    generated: int | None = None,
    seed: int = 0,
    paper: bool = False,
    chunk: int = 256,
    batch_size: int = 64,
    device: str = "auto",
    dtype: str = "auto",
    compiled: bool = False,
    posterior: str = "mean",
    defence: str = "",
    keep_latents: str | Path | None = None,
    join: bool | Literal["begin"] = False,
    shard: str | None = None,
    engine: str | None = None,
    jobs: int | None = None,
    deadline: float | None = None,
    command: str | None = None,
    progress: Progress = silent,
    tell: Tell = lambda sentence: None,
) -> Run:
    """Runs attacks on a target whose members are known, and measures what they find.

    Blind rows, the null target and the controls are part of every run, asked for or not.

    >>> import miagym
    >>> run = miagym.evaluate("clipart-overfit", attacks="pia", limit=10, null=None)
    >>> run["pia"].auc > 0.8, run["pia"].auc.ci[0] < run["pia"].auc
    (True, True)
    >>> [row.attack for row in run.rows if row.blind]
    ['blind-captions', 'blind-pixels', 'blind-both']

    Args:
        target: an embedded name, a folder, a file, a hub id, with what is put on it
            ("BASE+lora.safetensors:0.8"), a target; or several of these.
        data: its members, and others like them; one for each target. Known of embedded targets.
        attacks: "all", names with commas, attacks, attack classes, or several of these.
        reference: public base of the target, one for each; `None` for none. Known of embedded
            targets, where an attack calibrates by it.
        null: a target that saw neither side, or both alike, one for each; `None` for none. Known
            of embedded targets.
        other_generator: a different model, one for all or one for each, that is asked about the
            test part too: what is found there, the split gives, not the target.
        shadows: models trained like the target on known pictures, for attacks such as "sima+lira":
            the folder of a population, which stands for all its models but the target, or models
            that `miagym train` has made.
        member_value: the value of `member` that stands for members, where the data state it in a
            column whose values do not say it, as 0 does in some.
        out: the run folder, in which an interrupted run goes on; without one, nothing is kept but
            what this returns.
        budget: queries for one candidate; black-box attacks ask so many, what needs more is left
            out.
        limit: at most so many members, and so many non-members, of each part.
        generated: pictures that the target is asked to generate, from captions of non-members, to
            see how many of its own each attack would call members; by default 20, where it is
            told anything.
        seed: of noise, order and resampling.
        paper: score all variants on the test part too, as the paper's (optimistic) protocol asks.
        chunk: candidates at work at a time.
        batch_size: latents in one call of the target.
        device: "auto", "cpu", "cuda", "mps".
        dtype: "float32", "float16", "bfloat16"; "auto" is half precision on a CUDA GPU.
        compiled: whether torch compiles the denoisers: minutes at first, to be faster later.
        posterior: "mean" of the encoder's posterior, or a "sample" by paired noise.
        defence: what is done to the target's pictures before a black box hands them out:
            "round:4" bits of colour, "jpeg:60", "resize:0.5", or several with a plus.
        keep_latents: a folder that keeps what pictures are encoded to, so that a later run of other
            attacks on the same pictures needs no encoder; only of the posterior's mean.
        join: whether to work on a run in `out` that other processes have begun, here or on other
            machines; "begin" is to begin it if nobody has. Without it, a folder in which others
            are at work is refused.
        shard: "2/3" is the second of three parts of the run, each in an `out` of its own; rows are
            there once `miagym.merge` has measured them together.
        engine: "slurm" or "ray" starts `jobs` processes that work on the run together, here or
            on a cluster that sees the folder `out`, and starts again what is lost.
        jobs: how many processes an engine starts.
        deadline: seconds that a chunk may take before an engine starts its process anew.
        command: what gives the same numbers again; by default this call.
        progress: shows how far each phase is.
        tell: is told, in a sentence, what the folder already holds.

    Raises:
        MiagymError: of whatever kind, in one sentence; what has been scored before it stays in the
            folder, and where nothing was, nothing is left.
    """
    Budget(queries=budget)
    if Posterior.named(posterior) is not Posterior.MEAN and keep_latents is not None:
        raise SettingsError(
            f"{option('keep_latents')} keeps means of the posterior, and this run samples; leave "
            f"{option('keep_latents')} or {option('posterior', posterior)} away."
        )
    defence = str(Defence.named(defence))
    targets = [target_of(each) for each in _several(target)]
    given = [None] * len(targets) if data is None else _several(data)
    references, nulls = (
        [_model(each) for each in (_several(models) if models != AUTO else [AUTO] * len(targets))]
        for models in (reference, null)
    )
    for name, each in {"data": given, "reference": references, "null": nulls}.items():
        if len(each) != len(targets):
            none = "" if name == "data" else f" ({told('-', 'None')} for none)"
            raise DataError(
                f"Got {len(each)} of {option(name)} for {len(targets)} of {option('target')}; give "
                f"one for each{none}."
            )
    others = [_model(each) for each in _several(other_generator)]
    if len(others) not in (1, len(targets)):
        raise DataError(
            f"Got {len(targets)} targets and {len(others)} of {option('other_generator')}; give "
            "one for all, or one for each."
        )
    others *= len(targets) // len(others)
    like = [str(name) for name in _several(shadows)]
    known = [data_of(each, t.name) for each, t in zip(given, targets, strict=True)]
    values = member_values(known, member_value)
    calibrated = [model is not None and model.name != AUTO for model in references]
    asked = {
        each: with_blind_rows(attacks_of(attacks, with_reference=each)) for each in set(calibrated)
    }
    config = Config(
        matches=tuple(
            Match(
                t.name,
                d.name,
                tuple(asked[c]),
                r and r.name,
                n and n.name,
                o and o.name,
                shadow_names(like, t.name),
                value,
            )
            for t, d, r, n, o, c, value in zip(
                targets, known, references, nulls, others, calibrated, values, strict=True
            )
        ),
        seed=seed,
        queries=budget,
        limit=limit,
        generated=generated,
        paper=paper,
        chunk=chunk,
        batch_size=batch_size,
        device=device,
        dtype=dtype,
        compiled=compiled,
        posterior=posterior,
        defence=defence,
        keep_latents=None if keep_latents is None else str(keep_latents),
    )
    models = [*targets, *(model for model in (*references, *nulls, *others) if model)]
    objects = Objects(
        blind_attacks() | {name: a for each in asked.values() for name, a in each.items()},
        _own(models),
        _own(known),
    )
    part = WHOLE if shard is None else Shard.parse(shard)
    said = command or call_of(config, out)
    joins = Join.of(join)
    if engine is None:
        if jobs is not None or deadline is not None:
            raise SettingsError(
                f"{option('jobs')} and {option('deadline')} are for an engine; say "
                f"{option('engine', 'ray')} or {option('engine', 'slurm')}."
            )
        return run_config(config, objects, out, said, progress, tell, joins, part)
    if joins == Join.YES or not part.whole:
        raise SettingsError(
            f"The jobs of an engine join one whole run by themselves; leave out {option('join')} "
            f"and {option('shard')}."
        )
    work = EngineWork.here(config, objects, out, said, deadline)
    return run_on(engine, jobs, work, progress, tell)


def _several(given: Any) -> list[Any]:
    return list(given) if isinstance(given, list | tuple) else [given]


def _model(given: ModelLike) -> Named | None:
    """A model by name or as it is; `AUTO` stays what it is."""
    if given is None:
        return None
    return Named(AUTO) if given == AUTO else target_of(given)


def _own(named: Sequence[Named]) -> dict[str, Any]:
    """By name, what was given as an object.

    Raises:
        DataError: if two objects have one name.
    """
    found: dict[str, Any] = {}
    for each in named:
        if each.own is not None and found.setdefault(each.name, each.own) is not each.own:
            raise DataError(f"Two objects are called {each.name}; give one of them another name.")
    return found
