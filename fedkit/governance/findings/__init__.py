"""A static look at a request's source: what a steward should see before deciding. Pure; nothing is run or imported.

It is an aid to the steward, **not the boundary**: Python can hide what it does from any reader of its syntax tree, and how much
this look sees is measured in `docs/findings.md`. What holds code is the confined worker and the output contract. So a rule here
may be strict where honest code loses nothing by it.

    refuse   has no place in a request: imports beyond the allow-list, eval, files, the object model, text that leaves as number
    warn     may be honest, look at it: print, data in an error, a result that one note or one answer decides, chance
    note     what the code uses: splits, texts, words it looks for, what it gives back

One module for each idea; each has `look(code)`:

    imports    what may be imported                    loops      what may never end or fill the memory
    reach      files, network, processes, memory       failing    prints, errors, ways out
    names      builtins, the object model              state      what outlives a call; changed libraries; entries
    hiding     what is written not to be read          results    what is read and given back, and the room for it
    flow/      where what stands in notes goes         code       the source as all of them see it
"""

from __future__ import annotations

from collections.abc import Sequence

from fedkit.governance.findings import failing, flow, hiding, imports, loops, names, reach, results, state
from fedkit.governance.findings.code import Code
from fedkit.governance.findings.imports import ALLOWED
from fedkit.governance.request import Entry
from fedkit.governance.review import Finding

__all__ = ["ALLOWED", "LONGEST", "RULES", "find"]

#: Characters of a source that are looked at.
LONGEST = 100_000

LEVELS = ("refuse", "warn", "note")

RULES = (imports, reach, names, hiding, loops, failing, state, results, flow)


def find(source: str, entries: Sequence[Entry] = ()) -> list[Finding]:
    """What stands out in a source, by level (refuse first) and line. Never raises: what cannot be read is refused.

    entries: those of the request, if it is known: then the room that their contracts leave is told as well.
    """
    if len(source) > LONGEST:
        return [Finding("refuse", 1, "length", f"more than {LONGEST:,} characters: nobody can review that")]
    try:
        code = Code(source, entries)
        found = {finding for rule in RULES for finding in rule.look(code)}
    except SyntaxError as error:
        return [Finding("refuse", error.lineno or 1, "syntax", "it does not parse as Python 3.11")]
    except (ValueError, RecursionError, MemoryError):
        return [Finding("refuse", 1, "syntax", "it cannot be read as Python: null bytes, or nested too deeply")]
    return sorted(found, key=lambda f: (LEVELS.index(f.level), f.line, f.rule, f.message))
