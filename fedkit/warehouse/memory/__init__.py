"""Release memory: what was answered before, held against a new question, on paper alone.

    Memory(answered, site="no").check(question, least=0.001)

What is where: normal (the normal form of conditions) · axes, paper (two questions drawn over the same classes of rows, and the
region between them) · persons (questions about rows as ones about persons) · memory (equal, covering and differencing
questions). What left, and to whom, is kept by the site.
"""

from fedkit.warehouse.memory.memory import RULE, Memory, covers, name, taken
from fedkit.warehouse.memory.normal import normal

__all__ = ["RULE", "Memory", "covers", "name", "normal", "taken"]
