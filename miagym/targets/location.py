"""Where the weights of a target lie, and its configuration, read without torch."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from miagym.errors import TargetError


def first_line(error: BaseException) -> str:
    """The first line of what a library says, but for advice about arguments of its own."""
    line = str(error).strip().partition("\n")[0] or type(error).__name__
    if "local_files_only" in line or "HF_HUB_OFFLINE" in line:
        return "it is not on this machine, and the hub cannot be reached or may not be asked."
    return line


def looks_local(name: str) -> bool:
    """Whether a name that is no file is meant as a path here, and not as a hub's owner/name."""
    path = Path(name)
    is_path = name.startswith((".", "~", "/")) or "\\" in name or name.count("/") != 1
    return "/" in name.replace("\\", "/") and (is_path or path.parent.is_dir())


@dataclass(frozen=True)
class TargetLocation:
    """Folder or hub id of a target's pipeline."""

    name: str
    """What reports call it."""
    place: Path | str
    """A diffusers folder, or a hub id."""
    unet: Path | None = None
    """The folder of a checkpoint's UNet, which takes the place of the last one."""

    def config(self, part: str) -> dict[str, Any]:
        """The configuration of a part of the pipeline, "unet" or "vae".

        Of a hub id, the small file is downloaded.

        Raises:
            TargetError: if it cannot be read.
        """
        from huggingface_hub import hf_hub_download

        try:
            if part == "unet" and self.unet is not None:
                path = self.unet / "config.json"
            elif isinstance(self.place, Path):
                path = self.place / part / "config.json"
            else:
                path = Path(hf_hub_download(self.place, f"{part}/config.json"))
            config = json.loads(path.read_text())
        except (OSError, ValueError) as error:  # bad JSON is a ValueError, so is a bad hub id
            reason = first_line(error)
            raise TargetError(
                f"{self.name}: {part}/config.json cannot be read: {reason}"
            ) from error
        if not isinstance(config, dict):
            raise TargetError(f"{self.name}: {part}/config.json holds no settings.")
        return config
