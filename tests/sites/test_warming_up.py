"""PySyft is imported ahead of time, in a thread whose failures are nobody's until somebody needs PySyft."""

from __future__ import annotations

import subprocess
import sys

HALF_A_MODULE = """
import sys
from fedkit.sites import pysyft

tries = []

class Once:
    def find_spec(self, name, path=None, target=None):
        if name == "syft":
            tries.append(name)
            if len(tries) == 1:
                raise ImportError("cannot import name 'x' from partially initialized module")

sys.meta_path.insert(0, Once())
pysyft.warm().join()
assert "syft" not in sys.modules
assert pysyft.load().__name__ == "syft" and len(tries) == 2
print("loaded")
"""


def test_an_import_that_fails_ahead_of_time_is_tried_again_and_prints_nothing() -> None:
    ran = subprocess.run([sys.executable, "-c", HALF_A_MODULE], capture_output=True, text=True, timeout=300, check=False)
    assert (ran.stdout, ran.stderr) == ("loaded\n", "")
