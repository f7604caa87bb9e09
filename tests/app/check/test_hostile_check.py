"""Hostile files and requests, sent to `/check` of the page that `python app.py` serves."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from PIL import Image

from miagym.checking.upload import open_upload
from tests.app.visiting import ROOT, Served, served
from tests.checking.test_upload import REFUSED, RIGHT, blank_png, encoded

pytestmark = pytest.mark.slow
OVERFIT = "clipart-overfit"
FILE = {"meta": {"_type": "gradio.FileData"}}
JSON = {"content-type": "application/json"}
LARGE = 50_000_000
"""Bytes of a request that should not be read."""
GIGABYTE = 1e9


@pytest.fixture(scope="module")
def page() -> Iterator[Served]:
    """One that serves nobody else, since its memory is measured."""
    with served(ROOT / "app.py") as page:
        yield page


@pytest.fixture(scope="module")
def client(page: Served) -> Iterator[Client]:
    client = Client(page.address, verbose=False, analytics_enabled=False)
    yield client
    client.close()


@pytest.fixture(scope="module")
def drawing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An ordinary picture."""
    path = tmp_path_factory.mktemp("pictures") / "drawing.png"
    noise = np.random.default_rng(0).integers(0, 256, (4, 4, 3), dtype=np.uint8)
    Image.fromarray(noise).resize((64, 64), Image.Resampling.BICUBIC).save(path)
    return path


def checked(client: Client, picture: Path, caption: str = "") -> dict[str, Any]:
    return client.predict(handle_file(picture), caption, OVERFIT, api_name="/check")


def file_of(content: bytes | Callable[[], bytes], path: Path) -> Path:
    path.write_bytes(content if isinstance(content, bytes) else content())
    return path


@pytest.mark.parametrize("name", RIGHT)
def test_the_answer_is_about_the_right_image(name: str, client: Client, tmp_path: Path) -> None:
    """The same answer as about its pixels in a plain file, and what was done is in it."""
    make, _, _, words = RIGHT[name]
    odd = file_of(make, tmp_path / "odd.png")
    pixels = open_upload(odd, 64).candidate.images[0]
    plain = file_of(encoded(Image.fromarray(pixels)), tmp_path / "plain.png")
    about_odd, about_plain = checked(client, odd), checked(client, plain)
    assert words in "; ".join(about_odd["done_to_picture"])
    for same in ("verdict", "score", "p_value", "guard", "attacks"):
        assert about_odd[same] == about_plain[same]


@pytest.mark.parametrize("name", [name for name in REFUSED if name != "too many bytes"])
def test_a_sentence(name: str, client: Client, tmp_path: Path) -> None:
    content, words = REFUSED[name]
    file = file_of(content, tmp_path / ("a.heic" if name == "HEIC" else "a.png"))
    with pytest.raises(AppError, match=words) as refused:
        checked(client, file)
    assert is_sentence(str(refused.value), tmp_path)


def is_sentence(said: Any, secret: Path = ROOT) -> bool:
    """Whether it is one, in which neither a path nor the inside of the program is seen."""
    return isinstance(said, str) and said.endswith(".") and str(secret) not in said


CAPTIONS = {
    "10,000 characters": ("cat, " * 2000, "caption cut to 1,000 characters"),
    "control characters": ("cat\0\x07\x1b[31m", "control characters"),
    "turned to the left": ("cat\u202e\u200f", "control characters"),
    "half a character": ("cat\ud800", "control characters"),
    "a number": (7, ""),
    "a list": (["cat"], ""),
    "nothing": (None, ""),
}


def ask(page: Served, *data: Any) -> tuple[str, Any]:
    """The last event, and its data, after a request that no client has cleaned."""
    return answer_to(page, json.dumps({"data": data}).encode())


def answer_to(page: Served, body: bytes) -> tuple[str, Any]:
    call = f"{page.address}gradio_api/call/check"
    asked = httpx.post(call, content=body, headers=JSON, timeout=60)
    if asked.status_code != 200:
        return "refused", asked.json()["detail"]
    text = httpx.get(f"{call}/{asked.json()['event_id']}", timeout=60).text
    *_, event, data = text.strip().splitlines()
    return event.removeprefix("event: "), json.loads(data.removeprefix("data: "))


def upload(page: Served, picture: Path) -> dict[str, Any]:
    with picture.open("rb") as file:
        address = f"{page.address}gradio_api/upload"
        sent = httpx.post(address, files={"files": file}, timeout=60)
    return {"path": sent.json()[0], **FILE}


@pytest.mark.parametrize("name", CAPTIONS)
def test_captions_of_any_content(name: str, page: Served, drawing: Path) -> None:
    caption, words = CAPTIONS[name]
    event, answer = ask(page, upload(page, drawing), caption, OVERFIT)
    assert event == "complete" and answer[0]["verdict"]
    assert words in "; ".join(answer[0]["done_to_picture"])


def test_control_characters_change_no_answer(page: Served, drawing: Path) -> None:
    picture = upload(page, drawing)
    asked = [ask(page, picture, caption, OVERFIT) for caption in ("a cat", "a\ud800 c\0at\x1b")]
    (_, (plain,)), (_, (odd,)) = asked
    assert odd["score"] == plain["score"] and odd["p_value"] == plain["p_value"]


FORGED: dict[str, Any] = {
    "a file of the server": {"path": str(ROOT / "docs" / "images" / "first-figure.png"), **FILE},
    "a file beside": {"path": "docs/images/first-figure.png", **FILE},
    "data": {"path": None, "url": "data:image/png;base64,iVBORw0KGgo=", **FILE},
    "data as a path": {"path": "data:image/png;base64,iVBORw0KGgo=", **FILE},
    "an address": {"path": "http://127.0.0.1:9/a.png", **FILE},
    "an address beside": {"path": None, "url": "http://127.0.0.1:9/a.png", **FILE},
}


@pytest.mark.parametrize("name", FORGED)
def test_only_uploads_are_opened(name: str, page: Served) -> None:
    event, answer = ask(page, FORGED[name], "", OVERFIT)
    assert event == "error" and "Expected an uploaded file" in answer["error"]


MALFORMED = {
    "nothing": b'{"data": [null, "", "clipart-overfit"]}',
    "too few": b'{"data": []}',
    "a number": b'{"data": [1, "", "clipart-overfit"]}',
    "no number": b'{"data": [NaN, NaN, NaN]}',
    "half a target": b'{"data": [null, "", "\\ud800"]}',
    "nested": b'{"data": [' + b"[" * 600 + b"]" * 600 + b', "", "clipart-overfit"]}',
    "nested without end": b'{"data": [' + b"[" * 100_000 + b"]" * 100_000 + b"]}",
}


@pytest.mark.parametrize("name", MALFORMED)
def test_malformed_requests_get_a_sentence(name: str, page: Served) -> None:
    event, answer = answer_to(page, MALFORMED[name])
    said = answer["error"] if event == "error" else answer
    assert event != "complete" and isinstance(said, str) and len(said) > 20
    assert str(ROOT) not in said and "object at 0x" not in said


@pytest.mark.parametrize("stated", [True, False], ids=["length stated", "length not stated"])
@pytest.mark.parametrize("where", ["call/check", "queue/join", "call/upload", "mcp/"])
def test_large_requests_are_not_read(where: str, stated: bool, page: Served) -> None:
    body = b'{"data": [null, "' + b"a" * LARGE + b'", "clipart-overfit"]}'
    content = body if stated else (body[i : i + 100_000] for i in range(0, LARGE, 100_000))
    answer = httpx.post(
        f"{page.address}gradio_api/{where}", content=content, headers=JSON, timeout=60
    )
    assert answer.status_code == 413 and "more than 2 MB; send less" in answer.text


def test_large_files_do_not_arrive(page: Served) -> None:
    address = f"{page.address}gradio_api/upload"
    one = httpx.post(address, files={"files": bytes(LARGE)}, timeout=60)
    assert one.status_code == 413 and "exceeded" in one.text
    assert all(path.stat().st_size < 11_000_000 for path in page.temporary.rglob("*"))


def peak(page: Served) -> int:
    """Bytes of memory of the process that serves it, at its highest."""
    status = Path(f"/proc/{page.process.pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024


def test_memory_stays_under_a_gigabyte(
    page: Served, client: Client, drawing: Path, tmp_path: Path
) -> None:
    """That of the whole process, at its highest; and the page goes on answering alike."""
    before = checked(client, drawing, "cat")
    largest = Image.new("RGBA", (5000, 5000), (200, 30, 30, 100))
    allowed = {
        "transparent": lambda: encoded(largest, compress_level=1),
        "CMYK": lambda: encoded(largest.convert("CMYK"), "JPEG"),
        "16 bits": lambda: encoded(Image.new("I;16", (5000, 5000), 30_000), compress_level=1),
    }
    for name in ("81 megapixels", "144 megapixels", "400 megapixels", "80 MB of text"):
        with pytest.raises(AppError):
            checked(client, file_of(REFUSED[name][0], tmp_path / "a.png"))
    for make in allowed.values():
        assert checked(client, file_of(make, tmp_path / "a.png"))["verdict"]
    assert checked(client, file_of(blank_png(5000, 5000), tmp_path / "a.png"))["verdict"]
    assert peak(page) < GIGABYTE
    assert checked(client, drawing, "cat") == before
