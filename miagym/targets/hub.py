"""Models of the hub: only what a pipeline needs is downloaded, at a revision that is named."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
from huggingface_hub import HfApi, hf_hub_download, snapshot_download
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    HFValidationError,
    LocalEntryNotFoundError,
    OfflineModeIsEnabled,
    RemoteEntryNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from miagym.errors import TargetError

WEIGHTS = ".safetensors"
SETTINGS = (".json", ".txt", ".model")
SKIPPED = (
    "safety_checker/",
    "feature_extractor/",
    "image_encoder/",
    "vae_encoder/",
    "vae_decoder/",
)


def snapshot(repository: str, revision: str | None) -> Path:
    """The folder of a downloaded model; what was downloaded before is found without a network.

    Raises:
        TargetError: if there is no such model, it has to be agreed to first, or no network.
    """
    with _refusals(repository, revision):
        try:
            files = HfApi().list_repo_files(repository, revision=revision)
        except (OfflineModeIsEnabled, OSError, httpx2.TransportError) as error:
            if isinstance(error, HfHubHTTPError):
                raise
            return Path(snapshot_download(repository, revision=revision, local_files_only=True))
        wanted = wanted_files(files)
        return Path(snapshot_download(repository, revision=revision, allow_patterns=wanted))


def hub_file(repository: str, file: str, revision: str | None) -> Path:
    """One file of a model; what was downloaded before is found without a network.

    Raises:
        TargetError: as `snapshot`.
    """
    with _refusals(repository, revision):
        return Path(hf_hub_download(repository, file, revision=revision))


@contextmanager
def _refusals(repository: str, revision: str | None) -> Iterator[None]:
    """What the hub, its library and the network refuse, in sentences of ours.

    Raises:
        TargetError: in their place.
    """
    try:
        yield
    except GatedRepoError as error:
        raise TargetError(
            f"{repository} has to be agreed to before it can be downloaded: open its page at "
            "huggingface.co, agree, and log in here with `hf auth login`."
        ) from error
    except RevisionNotFoundError as error:
        raise TargetError(f"{repository} has no revision {revision!r} on the hub.") from error
    except (RepositoryNotFoundError, HFValidationError) as error:
        raise TargetError(
            f"{repository} cannot be loaded: there is no such folder here and no such model on the "
            "hub (a private one needs `hf auth login`)."
        ) from error
    except RemoteEntryNotFoundError as error:
        raise TargetError(
            f"{repository} is no model in the format of diffusers: the hub has no model_index.json "
            "of it, or no config.json of a part; name one that has, or a file of weights."
        ) from error
    except (LocalEntryNotFoundError, httpx2.HTTPError, OSError, ValueError) as error:
        raise TargetError(
            f"{repository} cannot be loaded: it was not downloaded before, and the hub cannot be "
            "reached; try again with a network, or name a folder of a model."
        ) from error


def wanted_files(files: list[str]) -> list[str]:
    """The files of a repository that a pipeline needs: of each component one variant of weights."""
    components: dict[str, list[str]] = {}
    wanted = [file for file in files if file == "model_index.json"]
    for file in files:
        folder, _, rest = file.partition("/")
        if not rest or "/" in rest or file.startswith(SKIPPED):
            continue
        if file.endswith(SETTINGS):
            wanted.append(file)
        elif file.endswith(WEIGHTS) and ".non_ema." not in file:
            components.setdefault(folder, []).append(file)
    for weights in components.values():
        plain = [file for file in weights if file.count(".") == 1]
        wanted += plain or weights
    return wanted
