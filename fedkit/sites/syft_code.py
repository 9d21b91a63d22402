"""A fedkit request as a PySyft function: the code that a researcher submits and PySyft keeps, approves and calls.

PySyft's record is complete in itself: the function holds the canonical JSON of the request, and whoever has the code can
recompute the digest that the steward signed. It opens no notes; it hands the call to the gate of its site, which decides.
"""

from __future__ import annotations

import inspect

from fedkit.digests import canonical, digest_bytes
from fedkit.governance.request import CodeRequest

#: The arguments of every function: the data set's handle, and what is free in a call as JSON, `[entry, round, inputs]`.
#: It is one argument, since each costs PySyft three calls of its own and a row.
ARGUMENTS = {"notes": str, "call": str}


def function_name(digest: str) -> str:
    """The name under which PySyft knows the request with this digest."""
    return f"fedkit_{digest}"


def mock_handle(site: str, dataset: str) -> str:
    """The mock asset of a data set: PySyft runs every function on it too, and this one returns at once."""
    return f"fedkit:{site}:{dataset}:mock"


def source(request: CodeRequest, site: str) -> str:
    """The text of the PySyft function for a request at a site; the same request gives the same text."""
    text = canonical(request.to_json()).decode()
    return (
        f"def {function_name(request.digest)}(notes, call):\n"
        f"    if notes == {mock_handle(site, request.dataset)!r}:\n"
        f"        return 'mock'\n"
        f"    from fedkit.sites.gate import called\n"
        f"    return called(notes, {text!a}, call)\n"
    )


def digest_of(text: str) -> str:
    """The request's digest, recomputed from its canonical JSON."""
    return digest_bytes(text.encode())


def signature() -> inspect.Signature:
    """Without annotations: PySyft checks the types of a call by the input policy."""
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    return inspect.Signature([inspect.Parameter(name, kind) for name in ARGUMENTS])
