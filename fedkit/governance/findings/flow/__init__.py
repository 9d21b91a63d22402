"""Where what stands in notes goes: a forward analysis through statements and the source's own functions."""

from fedkit.governance.findings.flow.statements import look

__all__ = ["look"]
