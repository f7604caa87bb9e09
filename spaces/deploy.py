"""Assembles the Space's folder and pushes it to the hub, or starts the page from it.

python spaces/deploy.py --dry-run              # the page, from the very folder that would go up
python spaces/deploy.py owner/miagym           # pushes it (HF_TOKEN, or `hf auth login`)
python spaces/deploy.py owner/class --classroom
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CARDS = {False: "README.md", True: "classroom.md"}
PACKAGES = ("miagym", "attacks")
FILES = ("app.py", "LICENSE")
FIRST_TAB = "MIAGYM_FIRST_TAB"
"""The variable that app.py reads."""


def assemble(folder: Path, classroom: bool = False) -> Path:
    """Copies what the Space needs, and no more, into an empty folder.

    Raises:
        SystemExit: if the folder is not empty.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        sys.exit(f"{folder} is not empty; name a new folder for the Space's files.")
    for name in PACKAGES:
        ignored = shutil.ignore_patterns("__pycache__", "*.pyc", "*.partial")
        shutil.copytree(ROOT / name, folder / name, ignore=ignored)
    for name in FILES:
        shutil.copy(ROOT / name, folder)
    shutil.copy(ROOT / "spaces" / "requirements.txt", folder)
    shutil.copy(ROOT / "spaces" / CARDS[classroom], folder / "README.md")
    return folder


def start(folder: Path, classroom: bool) -> int:
    """Runs the page as the Space would, until it is stopped."""
    variables = {**os.environ, **({FIRST_TAB: "play"} if classroom else {})}
    return subprocess.call([sys.executable, "app.py"], cwd=folder, env=variables)


def push(folder: Path, space: str, classroom: bool) -> None:
    """Uploads the folder; what the Space held before and the folder lacks is deleted there."""
    from huggingface_hub import HfApi

    api = HfApi()
    api.create_repo(space, repo_type="space", space_sdk="gradio", exist_ok=True)
    if classroom:
        api.add_space_variable(space, FIRST_TAB, "play")
    api.upload_folder(repo_id=space, repo_type="space", folder_path=folder, delete_patterns=["*"])
    print(f"https://huggingface.co/spaces/{space}")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("space", nargs="?", help="owner/name on the hub")
    parser.add_argument("--classroom", action="store_true", help="the card of a class, Play first")
    parser.add_argument("--dry-run", action="store_true", help="start the page, push nothing")
    parser.add_argument("--folder", type=Path, help="keep the assembled files here")
    given = parser.parse_args()
    if not given.dry_run and (not given.space or given.space.count("/") != 1):
        parser.error("name the Space as owner/name, or try it with --dry-run")
    with tempfile.TemporaryDirectory() as temporary:
        folder = assemble(given.folder or Path(temporary) / "space", given.classroom)
        if given.dry_run:
            sys.exit(start(folder, given.classroom))
        push(folder, given.space, given.classroom)


if __name__ == "__main__":
    main()
