"""Where what stands in notes goes: a forward analysis through statements and the source's own functions.

    carried      what a value can carry                    values       expressions
    calls        what known functions make of it           calling      calls
    leaks        what is said when it is on its way out    following    into functions, and variables
                                                           statements   branches, loops, returns: `look`

The classes of the right column stand on one another, from `Values` to `Flow`.
"""

from fedkit.governance.findings.flow.statements import look

__all__ = ["look"]
