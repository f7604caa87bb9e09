"""One server for the tests of a file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing

import pytest

from miagym.remote.env import RemoteEnv
from tests.hosting.serving import Hosted, serving


@pytest.fixture(scope="module")
def hosted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hosted]:
    with serving(tmp_path_factory.mktemp("host") / "host.sqlite") as found:
        yield found


Enter = Callable[..., RemoteEnv]


@pytest.fixture
def enter(hosted: Hosted) -> Iterator[Enter]:
    """Opens environments, and closes them after the test."""
    with ExitStack() as opened:
        yield lambda key, task="small": opened.enter_context(
            closing(RemoteEnv(hosted.address, key, task))
        )
