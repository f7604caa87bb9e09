"""What is asked of settings while another thread has only begun to import targets."""

from __future__ import annotations

import subprocess
import sys

ASKED = """
import sys, threading
from miagym.envs.options import is_target

importing = threading.Thread(target=__import__, args=["miagym.targets.base"])
importing.start()
while "miagym.targets.base" not in sys.modules:
    pass
assert not is_target("clipart-overfit")
importing.join()
"""


def test_a_target_is_told_from_a_name_while_targets_are_imported() -> None:
    asked = subprocess.run([sys.executable, "-c", ASKED], capture_output=True, text=True)
    assert asked.returncode == 0, asked.stderr
