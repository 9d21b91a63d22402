"""What a template is: a page of reviewed code, the parameters that may be chosen, and the request that comes of both.

The code of a template never changes with its parameters: they go through the settings, so there is one code digest for one
template, which a steward reads once and a standing approval names.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from fedkit.digests import digest, digest_bytes
from fedkit.environment import environment_digest
from fedkit.errors import FedkitError, RequestError
from fedkit.governance.output_contract import OutputContract
from fedkit.governance.privacy import Privacy
from fedkit.governance.request import CodeRequest, DataPermit, Entry
from fedkit.governance.training_noise import TrainingNoise
from fedkit.templates.parameters import Parameter, filled


@dataclass(frozen=True)
class Data:
    """What the catalogues of the sites say of the data set. labels: of all sites, sorted.   notes: site → training notes."""

    labels: tuple[str, ...] = ()
    notes: Mapping[str, int] = field(default_factory=dict)


class Template(ABC):
    """A kind of question that a site knows.

    name:    by which it is asked for.   kind: of the requests (`fedkit.governance.kinds`).
    title:   a line for a list.   what: for a steward, in plain words: what it does, and what leaves.
    source:  the code, the same for every request; "" if the researcher writes it.
    """

    name: ClassVar[str]
    kind: ClassVar[str]
    title: ClassVar[str]
    what: ClassVar[str]
    parameters: ClassVar[tuple[Parameter, ...]]
    source: ClassVar[str] = ""

    @property
    def code_digest(self) -> str:
        """SHA-256 of the source: the `code_digest` of every request that this template makes."""
        return digest_bytes(self.source.encode())

    def settings(self, parameters: Mapping[str, Any], data: Data | None = None) -> dict[str, Any]:
        """The settings of a request: every parameter, with the defaults of those that are not given, and nothing else.

        data: what the catalogues say; defaults may depend on it. Raises RequestError for parameters that are not possible.
        """
        return filled(self.parameters, parameters)

    @abstractmethod
    def contracts(self, settings: Mapping[str, Any]) -> dict[str, OutputContract]:
        """Entry → what may leave by it, for settings that `settings` made."""

    def executions(self, settings: Mapping[str, Any]) -> dict[str, int]:
        """Entry → how often it is to run at each site."""
        return dict.fromkeys(self.contracts(settings), 1)

    def code(self, settings: Mapping[str, Any], source: str | None = None) -> str:
        """The source of a request. source: the researcher's own; RequestError where the template does not allow that."""
        if source is not None and source != self.source:
            raise RequestError(
                f"the template {self.name} has its own code",
                expected="no source",
                got="another source",
                help='for code of your own take the template "analysis"',
            )
        return self.source

    def inputs(self, parameters: Mapping[str, Any]) -> bytes | None:
        """The weights that every site is to be given (wire form), if the question is about some."""
        return None

    def privacy(self, settings: Mapping[str, Any]) -> Privacy | None:
        """What one execution costs, where noise is asked for; None lets the result out as it is."""
        return None

    def noise(self, settings: Mapping[str, Any]) -> TrainingNoise | None:
        """With what noise weights are learnt, where the settings plan some."""
        return None

    @abstractmethod
    def explain(self, settings: Mapping[str, Any]) -> str:
        """One request in plain words: what is asked, of what, and what leaves."""

    def request(
        self,
        settings: Mapping[str, Any],
        *,
        title: str,
        purpose: str,
        researcher: str,
        permit: DataPermit,
        dataset: str = "notes",
        source: str | None = None,
    ) -> CodeRequest:
        """The request for these settings (from `settings`, with a `study` beside them that tells one request from another)."""
        runs, privacy, noise = self.executions(settings), self.privacy(settings), self.noise(settings)
        return CodeRequest(
            title=title,
            purpose=purpose,
            researcher=researcher,
            permit=permit,
            dataset=dataset,
            source=self.code(settings, source),
            environment=environment_digest(),
            entries=tuple(
                Entry(name, runs[name], contract, privacy, noise if contract.tensors else None)
                for name, contract in self.contracts(settings).items()
            ),
            settings=settings,
            kind=self.kind,
        )

    def made(self, request: CodeRequest) -> bool:
        """Whether a request is this template's: its code to the letter, parameters that it allows, and no wider contract."""
        if not self.source or request.kind != self.kind or request.code_digest != self.code_digest:
            return False
        given = {name: value for name, value in request.settings.items() if name != "study"}
        try:
            same = digest(self.settings(given)) == digest(given)
            contracts = {entry.name: entry.contract.to_json() for entry in request.entries}
            paid = all(entry.privacy == self.privacy(request.settings) for entry in request.entries)
            noise = self.noise(request.settings)
            paid = paid and all(entry.noise == (noise if entry.contract.tensors else None) for entry in request.entries)
            return same and paid and contracts == {k: c.to_json() for k, c in self.contracts(request.settings).items()}
        except (FedkitError, KeyError, TypeError, ValueError, AttributeError):
            return False
