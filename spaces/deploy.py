"""Assembles the Space's folder and pushes it to the hub, or starts the page from it.

python spaces/deploy.py --dry-run              # the page, from the very folder that would go up
python spaces/deploy.py owner/miagym           # pushes it (HF_TOKEN, or `hf auth login`)
python spaces/deploy.py owner/class --classroom
python spaces/deploy.py owner/stable-diffusion --calibration sd14/ --gpu
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CARDS = {"miagym": "README.md", "classroom": "classroom.md", "models": "stable-diffusion.md"}
PACKAGES = ("miagym", "attacks")
FILES = ("app.py", "LICENSE")
FIRST_TAB = "MIAGYM_FIRST_TAB"
"""The variable that app.py reads."""
CALIBRATIONS = "calibrations"
"""The folder beside app.py in which it looks for models to offer."""
CPU_WHEELS = "https://download.pytorch.org/whl/cpu"
"""Builds of torch without 5 GB of CUDA, which a Space without a GPU never uses."""
ZERO_GPU = "torch>=2.8,<2.12"
"""What a Space that is lent a GPU accepts."""


@dataclass(frozen=True)
class Kind:
    """What a Space is for.

    Args:
        classroom: a class plays first.
        calibrations: folders of `miagym calibrate`, whose models it offers.
        gpu: whether it runs on a GPU.
    """

    classroom: bool = False
    calibrations: tuple[Path, ...] = ()
    gpu: bool = False

    @property
    def card(self) -> str:
        return CARDS["models" if self.calibrations else "classroom" if self.classroom else "miagym"]


PAGE = Kind()
"""The page of the embedded models, on two processors."""


def assemble(folder: Path, kind: Kind = PAGE) -> Path:
    """Copies what the Space needs, and no more, into an empty folder.

    Raises:
        SystemExit: if the folder is not empty, or a calibration is of a model that a Space cannot
            load.
    """
    models = [read_model(calibration) for calibration in kind.calibrations]
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        sys.exit(f"{folder} is not empty; name a new folder for the Space's files.")
    for name in PACKAGES:
        ignored = shutil.ignore_patterns("__pycache__", "*.pyc", "*.partial")
        shutil.copytree(ROOT / name, folder / name, ignore=ignored)
    for name in FILES:
        shutil.copy(ROOT / name, folder)
    (folder / "requirements.txt").write_text(requirements(kind.gpu), encoding="utf-8")
    shutil.copy(ROOT / "spaces" / kind.card, folder / "README.md")
    for number, calibration in enumerate(kind.calibrations):
        shutil.copytree(calibration, folder / CALIBRATIONS / f"{number:02}-{models[number]}")
    return folder


def requirements(gpu: bool) -> str:
    """The Space's requirements.txt, with the build of torch that its machine uses."""
    lines = (ROOT / "spaces" / "requirements.txt").read_text(encoding="utf-8").splitlines()
    if gpu:
        lines = [ZERO_GPU if line.startswith("torch>") else line for line in lines]
    else:
        lines.insert(0, f"--extra-index-url {CPU_WHEELS}")
    return "\n".join(lines) + "\n"


def read_model(calibration: Path) -> str:
    """The short name of a calibration's model, which a Space has to find on the hub.

    Raises:
        SystemExit: if there is none, or it, or its reference, is a path of this machine.
    """
    path = calibration / "calibration.json"
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        models = [record["target"], *filter(None, [record["reference"]])]
    except (OSError, ValueError, KeyError, TypeError):
        sys.exit(f"{calibration} holds no calibration; `miagym calibrate --out FOLDER` makes one.")
    for model in models:
        if model.count("/") > 1 or "+" in model or Path(model).exists():
            sys.exit(
                f"{calibration} is of {model}, which lies on this machine; a Space loads models of "
                "the hub: push it there, and calibrate it by its hub id."
            )
    return models[0].rpartition("/")[2]


def start(folder: Path, kind: Kind) -> int:
    """Runs the page as the Space would, until it is stopped."""
    variables = {**os.environ, **({FIRST_TAB: "play"} if kind.classroom else {})}
    return subprocess.call([sys.executable, "app.py"], cwd=folder, env=variables)


def push(folder: Path, space: str, kind: Kind) -> None:
    """Uploads the folder; what the Space held before and the folder lacks is deleted there."""
    from huggingface_hub import HfApi

    api = HfApi()
    api.create_repo(space, repo_type="space", space_sdk="gradio", exist_ok=True)
    if kind.classroom:
        api.add_space_variable(space, FIRST_TAB, "play")
    api.upload_folder(repo_id=space, repo_type="space", folder_path=folder, delete_patterns=["*"])
    print(f"https://huggingface.co/spaces/{space}")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("space", nargs="?", help="owner/name on the hub")
    parser.add_argument("--classroom", action="store_true", help="the card of a class, Play first")
    parser.add_argument(
        "--calibration",
        type=Path,
        action="append",
        default=[],
        help="a folder of `miagym calibrate`: offer its model in place of ours; repeatable",
    )
    parser.add_argument("--gpu", action="store_true", help="the build of torch for a lent GPU")
    parser.add_argument("--dry-run", action="store_true", help="start the page, push nothing")
    parser.add_argument("--folder", type=Path, help="keep the assembled files here")
    given = parser.parse_args()
    if not given.dry_run and (not given.space or given.space.count("/") != 1):
        parser.error("name the Space as owner/name, or try it with --dry-run")
    kind = Kind(given.classroom, tuple(given.calibration), given.gpu)
    with tempfile.TemporaryDirectory() as temporary:
        folder = assemble(given.folder or Path(temporary) / "space", kind)
        if given.dry_run:
            sys.exit(start(folder, kind))
        push(folder, given.space, kind)


if __name__ == "__main__":
    main()
