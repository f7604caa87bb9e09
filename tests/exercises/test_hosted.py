"""A host that an exercise starts: it serves, and ends; or says why it does not come up."""

from __future__ import annotations

from pathlib import Path

import httpx2
import pytest

from miagym.errors import RunError
from miagym.exercises.hosted import OVERFIT, LocalHost
from miagym.remote.client import HostClient

pytestmark = [pytest.mark.slow, pytest.mark.long]


def test_it_serves_whoever_has_a_key_until_it_is_closed(tmp_path: Path) -> None:
    with LocalHost(tmp_path) as host:
        client = HostClient(host.url, host.key("ada"))
        assert [task["task"] for task in client.tasks()] == ["own"]
        with pytest.raises(RunError, match="No key for ada"):
            host.key("ada")
        client.close()
    with pytest.raises(httpx2.TransportError):
        httpx2.get(f"{host.url}/health")


def test_it_says_why_it_does_not_come_up(tmp_path: Path) -> None:
    options = tuple("clipart-overfitted" if o == "clipart-overfit" else o for o in OVERFIT)
    with pytest.raises(RunError, match="did not come up"):
        LocalHost(tmp_path, options)
