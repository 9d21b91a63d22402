"""The researcher's PySyft client: it hands in the code request and calls the approved function, by PySyft's own calls.

Imported only when a session first submits or executes. What PySyft answers is not passed on: the reply of a refused call has
no reason in it, or a traceback; the session asks the gate for the outcome.
"""

from __future__ import annotations

from typing import Any

from nacl.signing import SigningKey

from fedkit.digests import canonical
from fedkit.errors import NotApproved, SiteError
from fedkit.governance.request import CodeRequest
from fedkit.sites import pysyft, syft_code


class PySyftClient:
    """A user's client at one domain. connection: PySyft's own, in process or over HTTP."""

    def __init__(self, connection: Any, seed: bytes, site: str) -> None:
        self._sy = pysyft.load()
        from syft.client.datasite_client import DatasiteClient
        from syft.server.credentials import SyftSigningKey

        self.site = site
        key = SyftSigningKey(signing_key=SigningKey(seed))
        try:
            self._client = DatasiteClient(connection=connection, credentials=key)
            self._services = self._client.api.services
        except Exception as error:
            raise self._failed("is not reached by PySyft", error) from None
        self._assets: dict[str, Any] = {}

    def submit(self, request: CodeRequest) -> None:
        """Hand the request in as a PySyft code request; one that is there already stays. Raises SiteError."""
        from syft.service.code.user_code import SubmitUserCode

        from fedkit.sites.syft_policy import FedkitOutputPolicy

        try:
            free = {name: kind for name, kind in syft_code.ARGUMENTS.items() if name != "notes"}
            inputs = self._sy.MixedInputPolicy(notes=self._asset(request.dataset), client=self._client, **free)
            code = SubmitUserCode(
                code=syft_code.source(request, self.site),
                func_name=syft_code.function_name(request.digest),
                signature=syft_code.signature(),
                input_policy_type=self._sy.MixedInputPolicy,
                input_policy_init_kwargs=inputs.init_kwargs,
                output_policy_type=FedkitOutputPolicy,
                output_policy_init_kwargs={"request": request.digest},
                input_kwargs=list(syft_code.ARGUMENTS),
            )
            self._services.code.request_code_execution(code)
        except Exception as error:
            raise self._failed("did not take the code request", error) from None

    def execute(self, digest: str, entry: str, round: int, inputs: str) -> None:
        """Call the function of a request. Raises NotApproved if it is not in the domain; what came out, the gate knows."""
        try:
            function = getattr(self._client.api.services.code, syft_code.function_name(digest))
        except AttributeError:
            raise NotApproved("the code is not in the site's domain", help="submit it first") from None
        except Exception as error:  # the list of what may be called is fetched anew, which a session that ended may not
            raise self._failed("did not say what may be called", error) from None
        try:
            function(notes=self._asset(None), call=canonical([entry, round, inputs]).decode())
        except self._sy.SyftException:
            return
        except Exception as error:
            raise self._failed("did not answer PySyft's call", error) from None

    def _asset(self, dataset: str | None) -> Any:
        """The asset of a data set (or of the only one)."""
        if not self._assets:
            self._assets = {d.name: d.assets[0] for d in self._services.dataset.get_all()}
        return self._assets[dataset] if dataset else next(iter(self._assets.values()))

    def _failed(self, what: str, error: Exception) -> SiteError:
        return SiteError(f"{self.site} {what}", got=type(error).__name__, help="check that the site runs, then try again")
