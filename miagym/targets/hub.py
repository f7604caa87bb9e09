"""Models of the hub: only what a pipeline needs is downloaded, at a revision that is named."""

from __future__ import annotations

from pathlib import Path

from huggingface_hub import HfApi, snapshot_download
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    HFValidationError,
    LocalEntryNotFoundError,
    OfflineModeIsEnabled,
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
    try:
        try:
            files = HfApi().list_repo_files(repository, revision=revision)
        except (OfflineModeIsEnabled, OSError) as error:
            if isinstance(error, HfHubHTTPError):
                raise
            return Path(snapshot_download(repository, revision=revision, local_files_only=True))
        wanted = wanted_files(files)
        return Path(snapshot_download(repository, revision=revision, allow_patterns=wanted))
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
    except (LocalEntryNotFoundError, HfHubHTTPError, OSError, ValueError) as error:
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
