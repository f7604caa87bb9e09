"""Evaluate: attacks on a target whose members are known, and the finished demo run beside them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import gradio as gr
from gradio.context import Context
from gradio.events import Dependency

from miagym.app.evaluate.address import access_for, asked_in
from miagym.app.evaluate.service import (
    BUDGETS,
    MAX_CANDIDATES,
    MIN_CANDIDATES,
    QUICK_ATTACKS,
    EvaluationRequest,
    is_demo,
    names_within,
    paid_run,
)
from miagym.app.evaluate.view import View, view
from miagym.app.figures import plot
from miagym.app.html import part, script
from miagym.app.permalink import Permalink
from miagym.app.server.client_id import client_id
from miagym.app.server.jobs import EVALUATIONS, Work
from miagym.app.server.run_button import ButtonJob, RunAndStop
from miagym.app.site import EVALUATE, Site
from miagym.errors import MiagymError
from miagym.targets.registry import target_names

if TYPE_CHECKING:
    from miagym.api.run import Run

AT_FIRST = EvaluationRequest("clipart-overfit", ("rediffuse", "loss", "sima", "pia"))
"""What stands in the form when the page opens."""
ACCESS = [("black box", "black"), ("grey box", "grey"), ("white box", "white")]
AS_NEEDED = 0
"""The choice of no budget: a dropdown has no value None."""
DEMO = "The demo run: one attack of each kind, on an overfit and on a realistic model"
OTHER = "A finished run"
MINE = "Your run"
STOPPED = "Stopped; nothing of it is kept. The numbers shown are those of the run before."


def evaluate_tab(site: Site) -> None:
    """The form, the run, its numbers; it stands inside a `gr.Tab`."""
    tab = Context.block
    assert isinstance(tab, gr.Tab)
    with gr.Row():
        with gr.Column(scale=1, min_width=280):
            form = _form()
            price = gr.HTML(elem_id="evaluate-price")
            buttons = RunAndStop.build("Run", "evaluate")
        found = site.opened
        opening = view(found, DEMO if found and is_demo(found) else OTHER)
        with gr.Column(scale=2, min_width=420):
            shown = _shown(opening)
    job = ButtonJob(
        EVALUATIONS,
        work=_work(site),
        shown=lambda found: tuple(vars(view(found, MINE)).values()),
        stopped=STOPPED,
    )
    _wire_form(site, tab, form, price, buttons.wire(job, form.asked, shown))


class Form(NamedTuple):
    """What a visitor fills in."""

    access: gr.Radio
    data: gr.HTML
    target: gr.Dropdown
    attacks: gr.CheckboxGroup
    candidates: gr.Slider
    queries: gr.Dropdown

    @property
    def asked(self) -> tuple[Any, ...]:
        """The inputs of `ask`."""
        return self.target, self.attacks, self.candidates, self.queries


class Shown(NamedTuple):
    """Where a run is shown, in the order of `View`."""

    finding: gr.HTML
    roc: gr.Plot
    legend: gr.HTML
    budgets: gr.Plot
    table: gr.HTML
    downloads: gr.HTML
    command: gr.Code


def ask(
    site: Site, target: str, attacks: list[str], candidates: float, queries: int | None
) -> EvaluationRequest:
    """What the form says.

    Raises:
        MiagymError: if it cannot be run.
    """
    whole = int(candidates) if candidates == int(candidates) else candidates
    return EvaluationRequest(target, tuple(attacks), whole, queries or None, site.device)  # type: ignore[arg-type]


def priced(site: Site, asked: EvaluationRequest, visitor: str) -> str:
    """What a run costs at most, and what the visitor has."""
    minutes = asked.seconds / 60
    time = f"{minutes:.0f} minutes" if minutes >= 1.5 else f"{max(10, asked.seconds):.0f} seconds"
    left = site.allowance.left(visitor)
    most = site.allowance.most
    takes = 0 if most is None else max(1, round(100 * asked.rows / most))
    has = 0 if left is None or most is None else round(100 * left / most)
    return part("price", time, takes, has if left is not None else None)


def about_data(target: str) -> str:
    """The data that belong to a target."""
    paired = EvaluationRequest(target, AT_FIRST.attacks).pairing
    null = (
        f" Null model, which saw none of them: {paired.null}."
        if paired.null
        else " Nothing is to be found there."
    )
    return part("status", f"Data: {paired.data}, whose members it was trained on.{null}")


def _form() -> Form:
    target = gr.Dropdown(
        target_names(),
        value=AT_FIRST.target,
        label="Model",
        info="Attacks play against a model of which it is known what it was trained on.",
        elem_id="evaluate-target",
    )
    data = gr.HTML(about_data(AT_FIRST.target), elem_id="evaluate-data")
    access = gr.Radio(ACCESS, value="grey", label="The attacker's access, at most")
    # The server takes all of them; the browser shows those of the access, at load and at a change.
    attacks = gr.CheckboxGroup(
        list(QUICK_ATTACKS),
        value=list(AT_FIRST.attacks),
        label="Attacks",
        info="Blind ones, which never ask the model, run always.",
        elem_id="evaluate-attacks",
    )
    candidates = gr.Slider(
        MIN_CANDIDATES,
        MAX_CANDIDATES,
        value=AT_FIRST.candidates,
        step=20,
        label="Members, and as many non-members",
        info="From 100 on, 1 % of false positives can be measured.",
        elem_id="evaluate-candidates",
    )
    queries = gr.Dropdown(
        [("as each attack needs", AS_NEEDED), *((str(n), n) for n in BUDGETS)],
        value=AS_NEEDED,
        label="Queries for one candidate",
        info="Black-box attacks spend them all; attacks that need more are left out.",
        elem_id="evaluate-queries",
    )
    return Form(access, data, target, attacks, candidates, queries)


def _shown(opening: View) -> Shown:
    finding = gr.HTML(opening.finding, elem_id="evaluate-finding")
    table = gr.HTML(opening.table, elem_id="evaluate-table", apply_default_css=False)
    with gr.Row(equal_height=False):
        with gr.Column(scale=3, min_width=300):
            roc = plot(opening.roc, "Members found against false positives", "evaluate-roc")
        with gr.Column(scale=1, min_width=170):
            legend = gr.HTML(opening.legend, elem_id="evaluate-legend", apply_default_css=False)
    with gr.Accordion("What more queries buy", open=False, elem_id="evaluate-more"):
        budgets = plot(opening.budgets, "What more queries buy", "evaluate-budgets")
    downloads = gr.HTML(opening.downloads, elem_id="evaluate-downloads", apply_default_css=False)
    command = gr.Code(
        opening.command,
        language="shell",
        interactive=False,
        lines=1,
        wrap_lines=True,
        label="The same on the command line",
        elem_id="evaluate-command",
    )
    return Shown(finding, roc, legend, budgets, table, downloads, command)


def _wire_form(site: Site, tab: gr.Tab, form: Form, price: gr.HTML, running: Dependency) -> None:
    """The choices follow access and target, the price follows all, and a run that has ended."""

    def price_of(
        target: str, attacks: list[str], candidates: float, queries: int, request: gr.Request
    ) -> str:
        try:
            asked = ask(site, target, attacks, candidates, queries)
        except MiagymError as error:
            return part("status", str(error))
        return priced(site, asked, client_id(request))

    quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}

    def read(query: Mapping[str, str]) -> Sequence[Any] | None:
        asked = asked_in(query, AT_FIRST)
        if asked is None:
            return None
        form = asked.target, list(asked.attacks), asked.candidates, asked.queries or AS_NEEDED
        return [*form, access_for(asked)]

    form.target.change(about_data, form.target, form.data, **quiet)
    names = "model", "attacks", "candidates", "queries"
    permalink = Permalink(EVALUATE, dict(zip(names, form.asked, strict=True)), (form.access,))
    permalink.write_at(*(one.input for one in form.asked))
    # In the browser, at once: what came from the server would undo what is chosen meanwhile.
    within = script("attacks_within.js", {access: names_within(access) for _, access in ACCESS})
    for changed in (form.access.change, permalink.read_at_load(read).success):
        changed(None, [form.access, form.attacks], form.attacks, js=within, **quiet)
    priced_now: dict[str, Any] = {"inputs": list(form.asked), "outputs": price, **quiet}
    # Not at load: attacks stand on torch, which would be imported while the page is drawn.
    asked_at = [tab.select, *(one.change for one in form.asked)]
    gr.on(asked_at, price_of, trigger_mode="always_last", **priced_now)
    for ended in (running.success, running.failure):
        ended(price_of, **priced_now)


def _work(site: Site) -> Callable[..., Work[Run]]:
    """What Run starts: what the form says, and the visitor has paid."""

    def work(request: gr.Request, *form: Any) -> Work[Run]:
        return paid_run(ask(site, *form), site.allowance, client_id(request))

    return work
