"""Menu of the questions that an action can name, and their costs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from miagym.envs.questions import QUESTION_KINDS
from miagym.errors import AccessDenied, SettingsError, UnknownName
from miagym.oracle.access import Access
from miagym.oracle.budget import Cost
from miagym.oracle.costs import generation_cost, variation_cost


@dataclass(frozen=True)
class Question:
    """Question of the menu: its kind, its value and its cost."""

    kind: str
    value: float | None
    cost: Cost

    @property
    def name(self) -> str:
        """Name as it is written in `questions=`: "variation@0.3"."""
        return self.kind if self.value is None else f"{self.kind}@{self.value:g}"

    @property
    def price(self) -> int:
        """Price in UNet rows, taken from the budget."""
        return self.cost.price

    @property
    def batch(self) -> tuple[str, float | None]:
        """Key of the batch: questions with equal keys go through the target together."""
        return self.kind, None if QUESTION_KINDS[self.kind].together else self.value


PICTURES = ("text-to-image", "variation")


def menu(
    names: Iterable[str] | None, access: Access, steps: int, guidance_scale: float
) -> tuple[Question, ...]:
    """Makes the menu of these names, or of all default questions of the access level.

    Args:
        names: such as "text-to-image", "variation@0.3", "loss@200".
        access: what may be asked.
        steps: DDIM steps of a whole text to image.
        guidance_scale: of pictures.

    Raises:
        UnknownName: if there is no such kind.
        SettingsError: if a value is missing or out of range, or a question comes twice, also under
            another name.
        AccessDenied: if the access level forbids a question.
    """
    allowed = [name for name, kind in QUESTION_KINDS.items() if kind.access <= access]
    if names is None:
        pairs = [
            (name, value) for name in allowed for value in (QUESTION_KINDS[name].values or (None,))
        ]
    elif isinstance(names, str):
        raise SettingsError(f"Expected a list of questions, got the text {names!r}.")
    else:
        pairs = [_parse(name) for name in names]
    if not pairs:
        raise SettingsError("A menu without questions leaves nothing to ask; name at least one.")
    if len(set(pairs)) < len(pairs):
        raise SettingsError(f"Each question stands on the menu once, got {list(names or ())}.")
    for name, _ in pairs:
        if name not in allowed:
            raise AccessDenied(
                f"The question {name!r} needs {QUESTION_KINDS[name].access} access, and this "
                f"environment has {access}; it allows {', '.join(allowed)}."
            )
    questions = tuple(
        Question(name, value, _cost(name, value, steps, guidance_scale)) for name, value in pairs
    )
    twins = _twins(questions)
    if twins and names is not None:
        one, other = twins[0]
        raise SettingsError(
            f"{one.name} and {other.name} run the same last steps of {steps}, so they are one "
            "question; name one of them, or raise steps=."
        )
    return tuple(q for q in questions if q not in [other for _, other in twins])


def _twins(questions: Sequence[Question]) -> list[tuple[Question, Question]]:
    """Pairs of variations that run the same steps: one question with two names."""
    first: dict[int, Question] = {}
    variations = [question for question in questions if question.kind == "variation"]
    pairs = [(first.setdefault(question.price, question), question) for question in variations]
    return [(one, other) for one, other in pairs if one is not other]


def _parse(name: str) -> tuple[str, float | None]:
    kind, at, text = str(name).partition("@")
    if kind not in QUESTION_KINDS:
        raise UnknownName("question", str(name), QUESTION_KINDS, "Write values as in loss@200.")
    takes = bool(QUESTION_KINDS[kind].values)
    try:
        value = float(text) if takes else None
    except ValueError:
        value = -1.0
    is_timestep = kind not in PICTURES
    if at == "" and not takes:
        return kind, None
    if value is None or not (
        0 <= value <= 999 and value == int(value) if is_timestep else 0 < value <= 1
    ):
        example = f"{kind}@{QUESTION_KINDS[kind].values[0]:g}" if takes else kind
        kind_of_value = "a timestep from 0 to 999" if is_timestep else "a strength above 0, up to 1"
        wants = f"{kind_of_value}, as in {example}" if takes else f"no value: {example}"
        raise SettingsError(f"The question {kind!r} takes {wants}; got {name!r}.")
    return kind, value


def _cost(kind: str, value: float | None, steps: int, guidance_scale: float) -> Cost:
    if kind == "text-to-image":
        return generation_cost(steps, guidance_scale)
    if kind == "variation":
        assert value is not None
        return variation_cost(value, steps, guidance_scale)
    rows, backward = QUESTION_KINDS[kind].rows, QUESTION_KINDS[kind].backward_rows
    return Cost(queries=1, unet_rows=rows, backward_rows=backward)
