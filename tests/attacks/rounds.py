"""One approved request whose code does something else in every round: what approved code can try, without a steward each time.

The first round, which is also the rehearsal's, returns what is in order.
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from dataclasses import dataclass

from attackers import Town

from fedkit.governance.decision import Receipt
from fedkit.governance.output_contract import OutputContract
from fedkit.governance.request import CodeRequest

CONTRACT = OutputContract({"w": (4,)}, {"notes": (0, 1000), "loss": (0, 10)}, norms={"w": 100.0})

HEAD = '''"""Count notes."""
import numpy as np

FINE = {"tensors": {"w": np.ones(4, np.float32)}, "numbers": {"notes": 1, "loss": 0.5}}
'''


@dataclass
class Rounds:
    """An approved request; `run` runs what stands under a name."""

    world: Town
    request: CodeRequest
    names: list[str]

    @property
    def digest(self) -> str:
        return self.request.digest

    def run(self, name: str, again: int = 0) -> Receipt:
        """again: for a second time of the same, which is another round."""
        return self.world.researcher.execute(self.digest, "count", self.names.index(name) + 2 + 1000 * again)


def approved(world: Town, bodies: Mapping[str, str]) -> Rounds:
    """bodies: name → lines of a function of `notes` and `settings`, which return a result, or nothing for one in order."""
    source = HEAD
    for number, body in enumerate(bodies.values()):
        source += f"\n\ndef do_{number}(notes, settings):\n{textwrap.indent(textwrap.dedent(body).strip(), '    ')}\n"
    source += "\n\nDO = [" + ", ".join(f"do_{number}" for number in range(len(bodies))) + "]\n"
    source += (
        "\n\ndef count(notes, weights, settings):\n"
        "    if settings['round'] == 1:\n"
        "        return FINE\n"
        "    return DO[(settings['round'] - 2) % 1000](notes, settings) or FINE\n"
    )
    request = world.request(source, executions=2 * len(bodies) + 10, contract=CONTRACT)
    world.approved(request)
    return Rounds(world, request, list(bodies))
