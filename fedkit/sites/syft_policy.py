"""The output policy of every fedkit function in PySyft. PySyft's own counts are not enforced (upstream issue 9391).

It is a class of the installed package, the same on both sides, so a researcher cannot send another one under its name. Its
only field names the request; the limits are the site's, from the signed decision. `is_valid` raises, as PySyft ignores a
returned False where it matters.
"""

from __future__ import annotations

from typing import Any

from syft.serde.serializable import serializable
from syft.service.policy.policy import OutputPolicy
from syft.types.errors import SyftException

from fedkit.errors import FedkitError


@serializable()
class FedkitOutputPolicy(OutputPolicy):
    """Lets out exactly the receipts that the gate has charged for, and nothing for a request that is not approved."""

    __canonical_name__ = "FedkitOutputPolicy"
    __version__ = 1

    request: str

    def is_valid(self, context: Any = None) -> bool:
        """Raises SyftException unless the request is approved and something of it is left to run."""
        if context is None:  # asked on the researcher's side, which knows nothing
            return True
        try:
            _gate(context).has_executions_left(self.request)
        except FedkitError as error:
            raise SyftException(public_message=error.message) from None
        return True

    def apply_to_output(self, context: Any, outputs: Any, update_policy: bool = True) -> Any:
        """Raises SyftException unless `outputs` is a receipt that was charged (or the word for the mock run)."""
        if not update_policy:
            outputs = "mock"
        elif not _gate(context).was_charged(self.request, outputs):
            raise SyftException(public_message="the site let nothing out")
        return outputs

    def public_state(self) -> dict[str, str]:
        return {"request": self.request}


def _gate(context: Any) -> Any:
    from fedkit.sites.gate import gate_of_server

    return gate_of_server(str(context.server.id))
