"""What the page does so that Gradio's MCP server keeps the page's promises."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from miagym.app.server.mcp import json_answer

pytestmark = pytest.mark.slow
"""In the quick tier, `test_whole_page` uses every tab."""

SWEPT = """
from pathlib import Path
from gradio.processing_utils import save_base64_to_cache
from gradio.route_utils import delete_files_created_by_app
from gradio.utils import get_upload_folder
from miagym.app.page import build

page, folder = build(), get_upload_folder()
made = Path(save_base64_to_cache("data:image/png;base64,aGVsbG8=", folder))
other = Path(folder, "kept.txt")
other.touch()
delete_files_created_by_app(page, age=60)
print(made.exists())
delete_files_created_by_app(page, age=0)
print(made.exists(), other.exists())
"""


def test_agents_read_json_and_programs_get_what_it_holds() -> None:
    def asked(user: str) -> Any:
        return SimpleNamespace(headers={"x-gradio-user": user})

    answer = {"verdict": "cannot tell", "p_value": None, "words": ["p ≤ 0.01"]}
    assert json_answer(answer, asked("api")) is answer
    text = json_answer(answer, asked("mcp"))
    assert isinstance(text, str) and json.loads(text) == answer and "≤" in text


@pytest.mark.slow
def test_what_gradio_makes_of_an_agent_s_data_goes_as_uploads_do(tmp_path: Path) -> None:
    env = os.environ | {"GRADIO_TEMP_DIR": str(tmp_path)}
    command = [sys.executable, "-c", SWEPT]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=300)
    assert done.stdout.split() == ["True", "False", "True"], done.stderr
