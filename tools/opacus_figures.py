"""Epsilons as Opacus computes them, for the tests of `fedkit.federation.privacy` to be held against.

    pip install opacus && python tools/opacus_figures.py > tests/federation/privacy/opacus.json

Opacus is no dependency of fedkit's: run it in an environment of its own.
"""

from __future__ import annotations

import json
from importlib.metadata import version

from opacus.accountants import PRVAccountant, RDPAccountant

#: (sigma, q, steps), each list the phases of one training.
TRAININGS = [
    [(1.0, 0.01, 1000)],
    [(1.22, 0.02, 500)],
    [(0.8, 0.05, 100)],
    [(0.6, 0.001, 2000)],
    [(1.1, 0.256, 20)],
    [(5.0, 0.5, 10)],
    [(2.0, 0.1, 300), (1.0, 0.01, 200)],
    [(1.5, 0.03, 50), (1.2, 0.02, 70), (2.5, 0.1, 30)],
]


def main() -> None:
    rows = []
    for phases in TRAININGS:
        for delta in (1e-5, 1e-6):
            row = {"phases": phases, "delta": delta}
            for name, kind in (("rdp", RDPAccountant), ("prv", PRVAccountant)):
                accountant = kind()
                accountant.history = [tuple(phase) for phase in phases]
                row[name] = float(accountant.get_epsilon(delta))
            rows.append(row)
    print(json.dumps({"opacus": version("opacus"), "rows": rows}, indent=1))


if __name__ == "__main__":
    main()
