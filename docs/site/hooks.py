"""MkDocs hook: guides that lie outside of docs/, and links that work on GitHub and on the site."""

from __future__ import annotations

import posixpath
import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[2]
DOCS = "docs/"
ELSEWHERE = {
    "README.md": "index.md",
    "attacks/README.md": "writing-attacks.md",
    "spaces/README.md": "space.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "SECURITY.md": "security.md",
    "LICENSE": "LICENSE",
    "CITATION.cff": "CITATION.cff",
} | {
    f"miagym/exercises/scripts/{file.name}": f"exercises/{file.name}"
    for file in sorted((ROOT / "miagym/exercises/scripts").glob("*.py"))
}
"""Where the site has what the repository has outside of docs/."""
_IN_REPOSITORY = {on_site: source for source, on_site in ELSEWHERE.items()}
_LINK = re.compile(r"(?<=\]\()(?!\w+:)([^)#\s]+)")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Adds the guides outside of docs/."""
    for source, on_site in ELSEWHERE.items():
        files.append(File.generated(config, on_site, abs_src_path=str(ROOT / source)))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Turns links between places in the repository into links between places on the site."""
    on_site = page.file.src_uri
    folder = posixpath.dirname(_IN_REPOSITORY.get(on_site, DOCS + on_site))

    def moved(found: re.Match[str]) -> str:
        source = posixpath.normpath(posixpath.join(folder, found[1]))
        if not (ROOT / source).exists():
            return found[1]  # code that looks like a link, or an error for MkDocs to report
        target = ELSEWHERE.get(source, source.removeprefix(DOCS))
        return posixpath.relpath(target, posixpath.dirname(on_site) or ".")

    return _LINK.sub(moved, markdown)
