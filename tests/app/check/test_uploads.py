"""Uploads: hostile files and forged requests, sent to a served page as anybody could send them."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError

import miagym.app
from tests.checking.test_upload import REFUSED, RIGHT, printed

pytestmark = pytest.mark.slow
"""In the quick tier, `test_whole_page` uses every tab."""

SERVED = """
import hashlib, time
from pathlib import Path
import gradio as gr
from miagym.app.page import serve
from miagym.app.server.errors import page_errors
from miagym.app.server.uploads import UploadsOnly, files_input, picture_input
from miagym.checking.upload import open_upload

@page_errors
def look(picture: str | None, words: str) -> dict:
    upload = open_upload(Path(picture), 64)
    digest = hashlib.sha256(Path(picture).read_bytes()).hexdigest()
    image = upload.candidate.images[0].tolist()
    return {"done": list(upload.done), "image": image, "digest": digest}

def names(files: dict) -> list:
    return sorted(files)

with UploadsOnly(analytics_enabled=False) as page:
    picture, words, files = picture_input(), gr.Textbox(""), files_input()
    gr.Button().click(look, [picture, words], gr.JSON(), api_name="look")
    gr.Button().click(names, files, gr.JSON(), api_name="names")
print(serve(page, prevent_thread_lock=True, quiet=True)[1], flush=True)
while True:
    time.sleep(1)
"""


@dataclass(frozen=True)
class Served:
    """A page in a process of its own, so that its memory can be measured."""

    url: str
    pid: int
    client: Client

    def peak(self) -> int:
        """Bytes of memory at its highest."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(status.partition("VmHWM:")[2].split()[0]) * 1024

    def post(self, endpoint: str, *data: Any) -> tuple[str, Any]:
        """The last event, and its data, after a request that no client has cleaned."""
        call = f"{self.url}gradio_api/call/{endpoint}"
        event = httpx.post(call, json={"data": data}, timeout=30).json()["event_id"]
        lines = httpx.get(f"{call}/{event}", timeout=30).text.strip().splitlines()
        return lines[-2].removeprefix("event: "), json.loads(lines[-1].removeprefix("data: "))


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    # A folder of its own, since what lies in it counts as uploaded.
    env = os.environ | {"GRADIO_TEMP_DIR": str(tmp_path_factory.mktemp("uploads"))}
    command = [sys.executable, "-c", SERVED]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=env) as process:
        assert process.stdout is not None
        url = next(line for line in process.stdout if line.startswith("http"))
        client = Client(url.strip(), verbose=False, analytics_enabled=False)
        yield Served(url.strip(), process.pid, client)
        client.close()
        process.terminate()


def file_of(content: bytes | Callable[[], bytes], path: Path) -> Path:
    path.write_bytes(content if isinstance(content, bytes) else content())
    return path


@pytest.mark.parametrize("name", RIGHT)
def test_the_right_image(name: str, served: Served, tmp_path: Path) -> None:
    make, (row, column), colour, words = RIGHT[name]
    file = handle_file(file_of(make, tmp_path / "picture.png"))
    seen = served.client.predict(file, "", api_name="/look")
    assert np.abs(np.array(seen["image"][row][column]) - colour).max() <= 6
    assert words in "; ".join(seen["done"])


@pytest.mark.parametrize("name", [name for name in REFUSED if name != "too many bytes"])
def test_a_sentence(name: str, served: Served, tmp_path: Path) -> None:
    content, words = REFUSED[name]
    file = handle_file(file_of(content, tmp_path / ("a.heic" if name == "HEIC" else "a.png")))
    with pytest.raises(AppError, match=words) as refused:
        served.client.predict(file, "", api_name="/look")
    assert str(tmp_path) not in str(refused.value) and "Traceback" not in str(refused.value)


def test_memory_after_the_worst(served: Served, tmp_path: Path) -> None:
    for name in ("81 megapixels", "144 megapixels", "80 MB of text"):
        file = handle_file(file_of(REFUSED[name][0], tmp_path / "a.png"))
        with pytest.raises(AppError):
            served.client.predict(file, "", api_name="/look")
    assert served.peak() < 1e9


def test_files_that_are_too_large_do_not_arrive(served: Served, tmp_path: Path) -> None:
    large = file_of(bytes(10_500_000), tmp_path / "a.png")
    with large.open("rb") as file:
        sent = httpx.post(f"{served.url}gradio_api/upload", files={"files": file}, timeout=30)
    assert sent.status_code == 413


def test_the_file_is_not_encoded_again(served: Served, tmp_path: Path) -> None:
    file = file_of(printed, tmp_path / "a.jpg")
    seen = served.client.predict(handle_file(file), "", api_name="/look")
    assert seen["digest"] == hashlib.sha256(file.read_bytes()).hexdigest()


META = {"meta": {"_type": "gradio.FileData"}}
MINE = str(Path(__file__).parents[3] / "README.md")
FORGED: dict[str, Any] = {
    "a path": {"path": MINE},
    "a path as Gradio writes it": {"path": MINE, **META},
    "a path and a stream": {"path": MINE, "is_stream": True, **META},
    "out of the folder": {"path": "{folder}/../../../../../../../../etc/passwd", **META},
    "the folder": {"path": "{folder}", **META},
    "an address": {"path": "{elsewhere}", **META},
    "an address beside": {"path": None, "url": "{elsewhere}", **META},
    "an address of ours": {"path": f"{{elsewhere}}gradio_api/file={MINE}", **META},
    "data": {"path": None, "url": "data:image/png;base64,iVBORw0KGgo=", **META},
    "data as a path": {"path": "data:image/png;base64,iVBORw0KGgo=", **META},
    "a NUL": {"path": "{folder}/a\0b", **META},
    "a long name": {"path": "{folder}/" + "a" * 5000, **META},
    "nested": [{"a": [{"path": "{elsewhere}", **META}]}],
}


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[tuple[str, list[str]]]:
    """Another server, and the paths that it was asked for."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(404)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/", asked
        server.shutdown()


@pytest.mark.parametrize(
    ("name", "box"),
    [(name, "picture") for name in FORGED]
    + [(name, box) for name in ("a path", "an address", "nested") for box in ("words", "files")],
)
def test_forged_requests_open_nothing(
    name: str, box: str, served: Served, elsewhere: tuple[str, list[str]], tmp_path: Path
) -> None:
    address, asked = elsewhere
    good = {"path": upload(served, tmp_path), **META}
    folder = str(Path(good["path"]).parents[1])
    text = json.dumps(FORGED[name]).replace("{folder}", folder).replace("{elsewhere}", address)
    forged = json.loads(text)
    if box == "files":
        event, answer = served.post("names", forged if isinstance(forged, list) else [forged])
    else:
        event, answer = served.post("look", *((forged, "") if box == "picture" else (good, forged)))
    assert event == "error" and "uploaded file" in str(answer) and not asked


def test_an_upload_may_be_named_by_its_address(served: Served, tmp_path: Path) -> None:
    path = upload(served, tmp_path)
    address = f"https://somewhere.example/gradio_api/file={path}"
    event, answer = served.post("look", {"path": address, **META}, "")
    assert event == "complete" and "read as JPEG" in answer[0]["done"][0]


def test_several_files_keep_their_names(served: Served, tmp_path: Path) -> None:
    path = upload(served, tmp_path)
    named = [{"path": path, "orig_name": name, **META} for name in ("a.png", "../a.png", "<b>.png")]
    assert served.post("names", named) == ("complete", [["<b>.png", "a+.png", "a.png"]])
    event, answer = served.post("names", [{"path": path, **META}] * 41)
    assert event == "error" and "at most 40 files" in str(answer)


def test_importing_the_page_writes_nothing_beside_it() -> None:
    assert not list(Path(miagym.app.__path__[0]).glob("*.pyi"))


def upload(served: Served, folder: Path) -> str:
    """The path that the page gives to an uploaded picture."""
    with file_of(printed, folder / "a.jpg").open("rb") as file:
        sent = httpx.post(f"{served.url}gradio_api/upload", files={"files": file}, timeout=30)
    return sent.json()[0]
