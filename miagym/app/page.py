"""The page, tab by tab, and how it is served."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Thread
from typing import Any

from starlette.middleware import Middleware

from miagym.app.quick_gradio import gr  # isort: split

from miagym.app.about import about_tab
from miagym.app.audit.api import audit_api
from miagym.app.audit.tab import audit_tab
from miagym.app.check.api import check_api
from miagym.app.check.examples import has_examples
from miagym.app.check.service import check_service
from miagym.app.check.tab import check_tab
from miagym.app.evaluate.api import evaluate_api
from miagym.app.evaluate.tab import evaluate_tab
from miagym.app.html import at_load, render, script, static
from miagym.app.leaderboard.tab import leaderboard_tab
from miagym.app.play.tab import play_tab
from miagym.app.server.body_limit import BodyLimit, upload_allowance
from miagym.app.server.client_id import ClientIds
from miagym.app.server.fair_queue import FairQueue
from miagym.app.server.mcp import AgentUploads
from miagym.app.server.request_errors import RequestErrors
from miagym.app.server.security_headers import SecurityHeaders
from miagym.app.server.uploads import UploadsOnly
from miagym.app.site import ABOUT, AUDIT, CHECK, EVALUATE, LEADERBOARD, PLAY, Site
from miagym.app.theme import THEME

TABS: dict[str, tuple[str, Callable[[Site], None]]] = {
    CHECK: ("Check an image", check_tab),
    EVALUATE: ("Evaluate", evaluate_tab),
    AUDIT: ("Is the split fair?", audit_tab),
    PLAY: ("Play", play_tab),
    LEADERBOARD: ("Leaderboard", leaderboard_tab),
    ABOUT: ("About", about_tab),
}
APIS = (check_api, evaluate_api, audit_api)
"""For machines; everything else on the page is private."""


def build(site: Site | None = None) -> gr.Blocks:
    """The page. Nothing is loaded until a visitor asks for it."""
    site = Site() if site is None else site
    with UploadsOnly(title="miagym", analytics_enabled=False, delete_cache=(300, 1500)) as page:
        names = [offer.name for offer in site.offers]
        masthead = render("masthead.html", is_drawn=has_examples(site.offers), names=names)
        gr.HTML(masthead, elem_classes="masthead")
        with gr.Tabs(selected=site.first) as tabs:
            for name in site.tabs:
                label, tab = TABS[name]
                with gr.Tab(label, id=name, elem_id=f"tab-{name}"):
                    tab(site)
        asked = script("asked_tab.js", *site.tabs)
        page.load(None, None, tabs, js=asked, show_progress="hidden", api_visibility="private")
        for api in APIS:
            api(site)
    page.temp_file_sets.append(AgentUploads())
    return page


MAX_THREADS = 120
"""Events at once, most of which only watch a job that waits."""
MAX_SESSIONS = 300
"""Open pages of which Gradio keeps how components have changed, each 0.3 MB; the oldest are
forgotten first, and begin anew."""

STYLES = ("page.css", "verdict.css", "check.css", "evaluate.css", "play.css", "focus.css")
SCRIPTS = ("figures.js", "new_picture.js", "rows.js", "names.js", "address.js")
"""Functions that a page calls once, when it has loaded."""
LAUNCH_OPTIONS: dict[str, Any] = {
    "theme": THEME,
    "css": "".join(map(static, STYLES)),
    "head": f"<style>{static('footer.css')}</style>",
    "js": at_load(*SCRIPTS),
    "max_file_size": "10mb",
    "show_error": False,
    "run_history": False,
    "footer_links": ["api", "settings"],
    "mcp_server": True,
    "enable_monitoring": False,
    "max_threads": MAX_THREADS,
    "state_session_capacity": MAX_SESSIONS,
}
"""How it is launched, everywhere."""


FIRST_VISITOR = 4.0
"""Seconds that are left to whoever opens a page at once: importing torch beside it slows both."""


def warm_up(site: Site, page: gr.Blocks) -> None:
    """Loads in the background what the first check would wait for, once the page is served."""

    def warm() -> None:
        while not page.is_running:
            time.sleep(0.1)
        time.sleep(FIRST_VISITOR)
        service = check_service(site.device, site.offers)
        for offer in site.offers:
            service.warm(offer.name)

    Thread(target=warm, daemon=True).start()


def serve(page: gr.Blocks, site: Site | None = None, **options: Any) -> Any:
    """Launches the page, which refuses what is too much before it is queued.

    Args:
        page: what `build` made.
        site: what it was built with.
        options: of `gr.Blocks.launch`, beside `LAUNCH_OPTIONS`.
    """
    site = Site() if site is None else site
    page.queue(default_concurrency_limit=2, api_open=False)  # no way past the queue
    page._queue = FairQueue(page, site.allowance.max_waiting)
    uploads = upload_allowance() if site.allowance.is_limited else None
    middleware = [
        Middleware(SecurityHeaders),
        Middleware(ClientIds, per_browser=site.per_browser),
        Middleware(BodyLimit, uploads=uploads),
        Middleware(RequestErrors),
    ]
    return page.launch(**LAUNCH_OPTIONS, app_kwargs={"middleware": middleware}, **options)
