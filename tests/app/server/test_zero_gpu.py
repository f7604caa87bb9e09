"""Where a Space lends a GPU, answers come from another process, and are the same."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from miagym.app.check.examples import MEMBER, NONMEMBER, examples
from miagym.app.check.service import ANSWERS_ON_GPU, CheckService

TARGET = "clipart-overfit"

LENDER = '''
"""Lends what ZeroGPU's package `spaces` does, but for the GPU: a process, and pickles."""
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

LENT, POOL = [], ProcessPoolExecutor(1, get_context("spawn"))

def GPU(duration):
    def lend(task):
        def there(*arguments):
            LENT.append(duration(*arguments))
            return POOL.submit(task, *arguments).result()
        return there
    return lend
'''
PROGRAM = """
import json, sys
from pathlib import Path
from miagym.app.check.service import check_service
from miagym.app.site import Site
import spaces

if __name__ == "__main__":
    site, paid = Site(), []
    service = check_service(site.device)
    files = {Path(file).name: Path(file) for file in sys.argv[2:]}
    one = service.check(Path(sys.argv[2]), "", sys.argv[1], pay=paid.append)
    several = service.check_set(files, sys.argv[1], pay=paid.append)
    print(json.dumps({
        "device": site.device,
        "one": one.as_json(),
        "together": several.together.as_json(),
        "paid": paid,
        "seconds": spaces.LENT,
        "loaded": list(service._checkers),
    }))
"""


@pytest.mark.long
@pytest.mark.slow
def test_answers_from_zero_gpu_are_those_of_this_process(tmp_path: Path) -> None:
    service = CheckService("cpu")
    files = [examples(TARGET)[kind].file for kind in (MEMBER, NONMEMBER)]
    (tmp_path / "spaces.py").write_text(LENDER)
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    done = subprocess.run(
        [sys.executable, str(program), TARGET, *map(str, files)],
        env={**os.environ, "SPACES_ZERO_GPU": "true"},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    one = service.check(files[0], "", TARGET)
    several = service.check_set({file.name: file for file in files}, TARGET)
    assert found["device"] == "cpu"
    assert found["one"] == json.loads(json.dumps(one.as_json()))
    assert several.together is not None
    assert found["together"] == json.loads(json.dumps(several.together.as_json()))
    assert found["paid"] == [service.rows(TARGET), service.rows(TARGET, 2)]
    assert found["seconds"] == [17, 19]
    assert found["loaded"] == [], "the page's own process was to compute nothing"


def test_elsewhere_there_is_no_other_process() -> None:
    assert ANSWERS_ON_GPU is None
