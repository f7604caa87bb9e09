"""The page's front door: `python app.py`."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path

# The folder `spaces/` beside this file looks like the package `spaces` to Gradio where that package
# is not installed; then there is none.
_found = importlib.util.find_spec("spaces")
if _found is not None and _found.origin is None:
    sys.modules["spaces"] = None  # type: ignore[assignment]

from miagym.app.host_address import HOST_URL  # noqa: E402
from miagym.app.offers import EMBEDDED, offered  # noqa: E402
from miagym.app.page import build, serve, warm_up  # noqa: E402
from miagym.app.site import CHECK, Site  # noqa: E402

# A Space may bring calibrations of other models beside this file.
calibrations = sorted((Path(__file__).parent / "calibrations").glob("*/"))
site = Site(
    first=os.environ.get("MIAGYM_FIRST_TAB", CHECK),
    offers=offered(calibrations) if calibrations else EMBEDDED,
    host_url=os.environ.get(HOST_URL) or None,
)
demo = build(site)

if __name__ == "__main__":
    warm_up(site, demo)
    serve(demo, site)
