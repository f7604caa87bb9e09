"""The page's front door: `python app.py`."""

from __future__ import annotations

import importlib.util
import os
import sys

# The folder `spaces/` beside this file looks like the package `spaces` to Gradio where that package
# is not installed; then there is none.
_found = importlib.util.find_spec("spaces")
if _found is not None and _found.origin is None:
    sys.modules["spaces"] = None  # type: ignore[assignment]

from miagym.app.page import build, serve, warm_up  # noqa: E402
from miagym.app.site import CHECK, Site  # noqa: E402

site = Site(first=os.environ.get("MIAGYM_FIRST_TAB", CHECK))
demo = build(site)

if __name__ == "__main__":
    warm_up(site, demo)
    serve(demo, site)
