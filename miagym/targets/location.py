"""Where the weights of a target lie, and its configuration, read without torch."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from miagym.errors import TargetError

SINGLE_FILE = ".safetensors"


@dataclass(frozen=True)
class Addition:
    """A file that changes a model: a LoRA, or an embedding that was learned for a new word."""

    path: Path
    scale: float = 1.0
    """Of a LoRA; 0 leaves the base as it is."""


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
    """Folder, file or hub id of a target's pipeline, and what is put on it."""

    name: str
    """What reports call it."""
    place: Path | str
    """A diffusers folder, a single file, or a hub id."""
    unet: Path | None = None
    """The folder of a checkpoint's UNet, which takes the place of the last one."""
    revision: str | None = None
    """Of a hub id: branch, tag or commit."""
    configuration: Path | None = None
    """Of a single file: the diffusers folder that says how its networks are built."""
    vae: Path | None = None
    """The folder or file of another autoencoder, which takes the place of the model's own."""
    scheduler: Path | None = None
    """The folder of another scheduler, which says how noise is added and what is predicted."""
    added: tuple[Addition, ...] = ()
    """Applied in this order."""
    is_third_party: bool = False
    """Whether an installed package makes it, which registers its name."""

    @property
    def is_single_file(self) -> bool:
        """Whether all weights are in one file."""
        return isinstance(self.place, Path) and self.place.suffix == SINGLE_FILE

    def folder(self) -> Path:
        """The diffusers folder of the pipeline; of a hub id, it is downloaded.

        Raises:
            TargetError: if the hub has no such model, or cannot be reached.
        """
        if self.configuration is not None:
            return self.configuration
        if isinstance(self.place, Path):
            return self.place
        from miagym.targets.hub import snapshot

        return snapshot(self.place, self.revision)

    def provenance(self) -> dict[str, str]:
        """The commit of a hub id, or the configuration by which a single file was read."""
        if self.is_single_file:
            return {"configuration": self.folder().name}
        return {} if isinstance(self.place, Path) else {"revision": self.folder().name}

    def config(self, part: str) -> dict[str, Any]:
        """The configuration of a part of the pipeline, "unet" or "vae"; "" is its index.

        Of a hub id, the small file is downloaded.

        Raises:
            TargetError: if it cannot be read.
        """
        file = f"{part}/config.json" if part else "model_index.json"
        try:
            config = json.loads(self._config_path(part, file).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:  # bad JSON is a ValueError, so is a bad hub id
            raise TargetError(f"{self.name}: {file} cannot be read: {first_line(error)}") from error
        if not isinstance(config, dict):
            raise TargetError(f"{self.name}: {file} holds no settings.")
        return config

    def _config_path(self, part: str, file: str) -> Path:
        other = {"unet": self.unet, "vae": self.vae}.get(part)
        if other is not None and other.is_dir():
            return other / "config.json"
        if self.configuration is not None or isinstance(self.place, Path):
            return self.folder() / file
        from miagym.targets.hub import hub_file

        return hub_file(self.place, file, self.revision)
