"""A site whose findings see nothing: for code that got past them, by a way that nobody knows yet.

The findings refuse nearly all of what is tried in a worker, so that it would not get as far. What holds behind them has to hold
by itself. Started in the place of Python (`sys.executable`), this serves sites as they are, but for the one function that a
steward's review begins with; limits, worker, contract, gate and journal are the real ones.
"""

import runpy
import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path.cwd()))
    import fedkit.sites.deciding

    fedkit.sites.deciding.find = lambda *source, **more: ()
    sys.argv = sys.argv[2:]  # without "-m"
    runpy.run_module("fedkit.sites.serve", run_name="__main__", alter_sys=True)
