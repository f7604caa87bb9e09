"""The main job: matches in, a run folder out."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from miagym.auditing.audit import audit_dataset
from miagym.data.dataset import TEST
from miagym.embedded.pairings import pairing
from miagym.errors import DataError
from miagym.evaluation.calibration import calibrate
from miagym.evaluation.chunk import Chunk, Job
from miagym.evaluation.claims.log import RunLog
from miagym.evaluation.config import AUTO, Config, Match, Objects
from miagym.evaluation.experiment import Experiment
from miagym.evaluation.measuring import ScoredMatch, measured
from miagym.evaluation.opening import Join, opened_run
from miagym.evaluation.provenance import identity
from miagym.evaluation.sharding.shards import WHOLE, Shard
from miagym.evaluation.workers import Workplace
from miagym.progress import Progress, silent
from miagym.results import SCHEMA, AuditRecord, DataSeen, Doubt, Results, RunAbout, Skipped

RESULTS = "results"
"""Claimed by the process that measures, once all is scored."""

AUDITED = 4_000
"""Rows of each side of the test part that the audit looks at, drawn by the seed."""


def evaluate(
    config: Config,
    objects: Objects,
    out: Path,
    *,
    command: str,
    progress: Progress = silent,
    tell: Callable[[str], None] = lambda sentence: None,
    join: Join = Join.NO,
    shard: Shard = WHOLE,
    deadline: float | None = None,
) -> Results:
    """Runs all matches, resuming what the folder already holds, and writes the results.

    Blind attacks run on every match, asked for or not; null target and reference are those that
    are known to belong to an embedded target, unless others are named.

    Args:
        config: what to run.
        objects: attacks by name, and what is not to be loaded by its name.
        out: the run folder.
        command: what gives the same numbers again.
        progress: shows how far each phase is.
        tell: is told, in sentences, what the folder already holds and what is odd about the data.
        join: whether to work on a run together with others.
        shard: the part of the run to score; results without rows are returned of one.
        deadline: seconds that a chunk may take; this process ends if one takes longer.

    Raises:
        MiagymError: of whatever kind; what has been scored before it stays in the folder, and
            where nothing was, nothing is left.
    """
    config = replace(config, matches=tuple(_completed(m, objects) for m in config.matches))
    _check_different(config)
    runs = [Experiment(config, number, objects) for number in range(len(config.matches))]
    for name, warning in dict.fromkeys((r.data.name, w) for r in runs for w in r.data.warnings):
        tell(f"{name}: {warning}")
    if not shard.whole:
        tell(shard.told_of([len(run.test_chunks()) for run in runs], config.chunk))
    about = identity(config, runs, command)
    if not shard.whole:
        about["shard"] = str(shard)
    for name, read in about["targets"].items():
        if "configuration" in read:
            tell(f"{name} is read as a {read['pipeline']}, as {read['configuration']} is built.")
    with opened_run(out, about, tell, join=join) as folder, ExitStack() as stack:
        if folder.finished:
            return folder.results()
        log = RunLog(out, folder.claims.process)
        stack.enter_context(log.until_the_end())
        log.write(command)
        progress = log.following(progress)
        place = Workplace(folder, progress, deadline)
        scored = [_score(run, place, shard) for run in runs]
        if not shard.whole:
            shard.finish(out, list(place.clocks))
            return Results(schema=SCHEMA, run=_about(config, scored, place), rows=())
        with place.only_one(RESULTS):
            if not folder.finished:  # by another process
                folder.gather(place.clocks)
                folder.finish(_results(config, scored, place, progress))
        return folder.results()


def _completed(match: Match, objects: Objects) -> Match:
    """The match with its blind attacks first, and what is known to belong to its target."""
    known, null, reference = pairing(match.target), match.null, match.reference
    names = tuple(dict.fromkeys([*objects.blind, *match.attacks]))
    if null == AUTO:
        null = known and known.null
    if reference == AUTO:
        uses = any(objects.attacks[name].uses_reference for name in names)
        reference = known.reference if known and uses else None
    return replace(match, attacks=names, reference=reference, null=null)


def _score(run: Experiment, place: Workplace, shard: Shard) -> ScoredMatch:
    """Calibrates, asks about the test part, then asks the null target; all but the first shared."""
    run.probe()
    before = len(place.clocks)
    calibrated = calibrate(run, place)
    others = calibrated.others if run.config.paper else {}
    test = shard.share(run.test_chunks())
    place.do(run, [(chunk, Job(calibrated.chosen, others)) for chunk in test])
    run.check_any_attack()
    if shard.whole:
        place.check_both_sides(run, test)
    clocks = list(place.clocks.values())[before:]
    asking = {name: calibrated.chosen[name] for name in run.asking}
    if asking:
        run.models()  # loaded now, and not by two workers at once
        for chunks in (run.null_chunks(), run.other_chunks(), run.generated_chunks()):
            jobs = [(chunk, Job(asking)) for chunk in shard.share(chunks)]
            place.do(run, jobs, leave_out=False)
    for name, why in _refused(run.other_chunks(), place).items():
        about = {"target": run.match.other_generator, "data": run.match.data, "attack": name}
        run.skipped.append(Skipped(**about, why=why))
    run.release()
    return ScoredMatch(run, calibrated, clocks)


def _refused(chunks: list[Chunk], place: Workplace) -> dict[str, str]:
    """By attack, why it gave no scores on some of these chunks."""
    clocks = (place.clocks[chunk.name] for chunk in chunks if chunk.name in place.clocks)
    return {name: why for clock in clocks for name, why in clock.refused.items()}


def _results(
    config: Config, scored: list[ScoredMatch], place: Workplace, progress: Progress
) -> Results:
    done, sections = progress("measuring", len(scored)), []
    attacks = sum(len(match.run.asking) for match in scored)
    for match in scored:
        sections.append(measured(match, place.folder, attacks))
        done()
    return Results(
        schema=SCHEMA,
        run=_about(config, scored, place),
        rows=tuple(row for own in sections for row in own.rows),
        controls=tuple(row for own in sections for row in own.controls),
        protocols=tuple(row for own in sections for row in own.protocols),
        comparisons=tuple(row for own in sections for row in own.comparisons),
        generated=tuple(row for own in sections for row in own.generated),
        other_generator=tuple(row for own in sections for row in own.other_generator),
        audit=_audits([match.run for match in scored], progress),
    )


def _audits(runs: list[Experiment], progress: Progress) -> tuple[AuditRecord, ...]:
    """Whether the test part of each data set is fair, which no attack is needed to say."""
    by_data = {run.match.data: run for run in runs}
    done = progress("auditing the data", len(by_data))
    audits = []
    for name, run in by_data.items():
        seed = run.config.seed
        rows = run.data.rows(TEST, seed, run.config.limit)
        found = audit_dataset(run.data, seed=seed, limit=AUDITED, rows=rows, among=len(by_data))
        audits.append(found.record.model_copy(update={"data": name}))
        done()
    return tuple(audits)


def _about(config: Config, scored: list[ScoredMatch], place: Workplace) -> RunAbout:
    """What results.json says of the run as a whole."""
    clocks = place.clocks.values()
    by_name = {match.run.match.data: match.run for match in scored}
    return RunAbout(
        config=config.as_json(),
        rows_charged=sum(sum(clock.rows_charged.values()) for clock in clocks),
        rows_computed=sum(clock.rows_computed for clock in clocks),
        skipped=tuple(skipped for match in scored for skipped in match.run.skipped),
        doubts=tuple(
            Doubt(target=match.run.match.target, data=match.run.match.data, why=why)
            for match in scored
            if (why := match.run.doubts()) is not None
        ),
        unreadable=tuple(lost for match in scored for lost in match.unreadable()),
        data=tuple(_seen(run) for run in by_name.values()),
    )


def _seen(run: Experiment) -> DataSeen:
    """What the reader of its data saw, as plain dictionaries, and what was drawn of them."""
    seen = DataSeen(
        data=run.match.data,
        warnings=run.data.warnings,
        captions_from={side: dict(n) for side, n in run.data.seen.captions_from.items()},
        passed_over={side: dict(n) for side, n in run.data.seen.skipped.items()},
    )
    drawn = run.learned_on()
    return seen.model_copy(update={"learned_on": drawn}) if drawn else seen


def _check_different(config: Config) -> None:
    pairs = [(match.target, match.data) for match in config.matches]
    if twice := next((pair for pair in pairs if pairs.count(pair) > 1), None):
        raise DataError(f"{twice[0]} with {twice[1]} was asked for twice; once is enough.")
