"""Models of the hub where there is no network, which in tests there never is."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NoReturn

import httpx2
import pytest

from miagym.errors import TargetError
from miagym.targets.registry import load_target
from tests.targets import models
from tests.targets.models import write

REVISION = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def unreachable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of the hub, which itself is asked and is not there; gives the cache's folder."""

    def fail(*asked: Any, **options: Any) -> NoReturn:
        raise httpx2.ConnectError("[Errno -2] Name or service not known")

    monkeypatch.setattr("huggingface_hub.HfApi.list_repo_files", fail)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    return tmp_path / "hub"


def test_a_model_that_was_downloaded_is_found_without_a_network(unreachable: Path) -> None:
    kept = unreachable / "models--someone--mini"
    write(models.stable_diffusion, kept / "snapshots" / REVISION)
    (kept / "refs").mkdir()
    (kept / "refs" / "main").write_text(REVISION, encoding="utf-8")
    target = load_target("someone/mini")
    assert target.name == "someone/mini" and target.provenance["revision"] == REVISION


def test_a_model_that_was_not_is_refused_in_a_sentence(unreachable: Path) -> None:
    with pytest.raises(TargetError) as caught:
        load_target("someone/other")
    assert str(caught.value) == (
        "someone/other cannot be loaded: it was not downloaded before, and the hub cannot be "
        "reached; try again with a network, or name a folder of a model."
    )
