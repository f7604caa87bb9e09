"""`miagym score`: fair numbers for scores that come from anywhere."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from miagym.cli.gate import NOT_PASSED
from miagym.cli.shared.console import AsJson, MemberValue, Seed, say, show
from miagym.errors import DataError


def score(
    file: Annotated[
        Path | None,
        typer.Argument(help="CSV, TSV, JSON, JSON lines, parquet, NPZ, NPY; any suffix."),
    ] = None,
    members: Annotated[
        Path | None,
        typer.Option(help="Instead of FILE: scores of members, (n,) or (n, timesteps)."),
    ] = None,
    nonmembers: Annotated[
        Path | None, typer.Option(help="The same of non-members, with the same columns.")
    ] = None,
    columns: Annotated[
        str | None,
        typer.Option(
            metavar="NAMES",
            help="Columns of scores, with commas, that are variants of one attack; one is chosen "
            "on half of the candidates. Of --members, all are by default; an array's are 0, 1, …",
        ),
    ] = None,
    optimistic: Annotated[
        bool,
        typer.Option(
            "--optimistic", help="Choose on the candidates that are reported, and say so."
        ),
    ] = False,
    score: Annotated[
        list[str] | None,
        typer.Option(
            metavar="COLUMN",
            help="Scores, else `score`; repeat it for attacks that stand side by side.",
        ),
    ] = None,
    member: Annotated[
        str, typer.Option(metavar="COLUMN", help="Labels: bool, 0 and 1, or words.")
    ] = "member",
    lower_is_member: Annotated[
        bool, typer.Option("--lower-is-member", help="Low scores (a loss, say) mean members.")
    ] = False,
    member_value: MemberValue = None,
    attack: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="Attacks, below each other; else `attack`.")
    ] = None,
    variant: Annotated[
        str | None,
        typer.Option(
            metavar="COLUMN", help="Variants of an attack, timesteps say; else `variant`."
        ),
    ] = None,
    part: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="`calibration` or `test`; else `part`.")
    ] = None,
    id: Annotated[
        str | None,
        typer.Option(metavar="COLUMN", help="Names of candidates; else `id` or `candidate`."),
    ] = None,
    caption: Annotated[
        str | None,
        typer.Option(metavar="COLUMN", help="Captions, for a blind row; else `caption`."),
    ] = None,
    group: Annotated[
        str | None,
        typer.Option(
            metavar="COLUMN",
            help="Groups of look-alikes, which widen the intervals; else `group`.",
        ),
    ] = None,
    blind: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="An attack that never saw the model; repeat it."),
    ] = None,
    target: Annotated[str | None, typer.Option(help="Name of the target, for the table.")] = None,
    data: Annotated[str | None, typer.Option(help="Name of the data, for the table.")] = None,
    stated_auc: Annotated[
        str | None, typer.Option(metavar="X", help="An AUC that somebody states.")
    ] = None,
    stated_tpr: Annotated[
        str | None, typer.Option(metavar="Y", help="A TPR that somebody states, 0.025 or 2.5%.")
    ] = None,
    stated_fpr: Annotated[
        str | None, typer.Option(metavar="Z", help="The FPR at which that TPR is stated.")
    ] = None,
    max_tpr: Annotated[
        float | None,
        typer.Option(help="Exit with 1 if an attack's interval of the TPR reaches above this."),
    ] = None,
    at_fpr: Annotated[float, typer.Option(help="The FPR at which --max-tpr is meant.")] = 0.01,
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Measure scores from any tool: intervals, controls, comparisons, and what looks wrong.

    A column after "else" is taken if the file has it and no option says otherwise; `-` takes none.
    """
    import miagym
    from miagym.scorefile.reading.columns import Columns
    from miagym.scorefile.stated import Statement

    both = members is not None and nonmembers is not None
    if (file is None) != both or (file is not None and (members or nonmembers)):
        raise DataError(
            "Expected FILE with scores and labels, or both --members and --nonmembers with the "
            "scores of one side each."
        )
    if score and (columns or both):
        raise DataError(
            "Expected --score for attacks side by side in FILE, or --columns for variants of one "
            "attack, got both."
        )
    found = miagym.score(
        file,
        members=members,
        nonmembers=nonmembers,
        variants=None if columns is None else [name.strip() for name in columns.split(",")],
        optimistic=optimistic,
        columns=Columns(
            tuple(score or ("score",)), member, attack, variant, part, id, caption, group
        ),
        lower_is_member=lower_is_member,
        member_value=member_value,
        blind=blind or (),
        target=target,
        data=data,
        stated=Statement.of(stated_auc, stated_tpr, stated_fpr),
        seed=seed,
    )
    show(found, as_json)
    if max_tpr is not None:
        passes = miagym.gate(found, max_tpr=max_tpr, at_fpr=at_fpr)
        if not as_json:
            say(passes.sentences()[-1])
        if not passes.passed:
            raise typer.Exit(NOT_PASSED)
