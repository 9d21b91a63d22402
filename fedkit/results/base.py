"""What all results have in common: they are built of the sites' signed receipts, and whoever has those can build them again."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Self

from fedkit.digests import digest, digest_bytes, short
from fedkit.errors import FedkitError
from fedkit.federation.parameters import decode_tables
from fedkit.governance.decision import NOTHING, Receipt
from fedkit.governance.request import CodeRequest
from fedkit.results.display import Cells, as_html, as_text


@dataclass(frozen=True)
class Answer:
    """What one site gave. data: the bytes that the receipt names (`Receipt.outputs`), None if it names none."""

    receipt: Receipt
    data: bytes | None = None

    @cached_property
    def tables(self) -> dict[str, list[dict[str, Any]]]:
        """The tables in the data. Raises TrainingError if it holds something else."""
        return decode_tables(self.data) if self.data is not None else {}

    def problems(self) -> list[str]:
        """In what the numbers or the data are not what the site signed for."""
        found = []
        if not self.receipt.numbers_fit():
            found.append("its numbers are not those that it signed for")
        given = NOTHING if self.data is None else digest_bytes(self.data)
        if given != self.receipt.outputs:
            found.append("its data is not that which it signed for")
        return found


@dataclass(frozen=True, repr=False)
class Result(ABC):
    """A result. Equal results have equal digests, which are made of request, receipts and content.

    request:  digest of the request.   receipts: site → digest of its receipt.
    missing:  site → why it gave nothing, in fedkit's words; the names are part of the digest and the words are not.
    """

    request: str
    receipts: Mapping[str, str]
    missing: Mapping[str, str]

    kind: ClassVar[str]

    @classmethod
    @abstractmethod
    def build(cls, request: CodeRequest, answers: Mapping[str, Answer], missing: Mapping[str, str]) -> Self:
        """From what the sites answered. Raises KeyError, TrainingError or RequestError for answers to something else."""

    @property
    @abstractmethod
    def per_site(self) -> Mapping[str, Any]:
        """Site → what it gave, as plain data."""

    @property
    @abstractmethod
    def combined(self) -> Any:
        """All sites together, as plain data."""

    @abstractmethod
    def cells(self) -> Cells:
        """What a reader is shown."""

    @property
    def sites(self) -> list[str]:
        """The sites that gave something, in their order."""
        return list(self.receipts)

    @cached_property
    def digest(self) -> str:
        """The name of the result; on the ledger it is what was released."""
        return digest(self.to_json())

    def to_json(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "request": self.request,
            "receipts": dict(self.receipts),
            "missing": sorted(self.missing),
            "per_site": dict(self.per_site),
            "combined": self.combined,
        }

    def verify(self, request: CodeRequest, answers: Mapping[str, Answer]) -> tuple[str, ...]:
        """What is wrong with this result, looked at with the answers that it says it was made of; () if nothing is.

        That the receipts are the sites' own is for `fedkit.audit` to say, which has the ledger and the keys.
        """
        found = [] if request.digest == self.request else ["it is the result of another request"]
        if set(answers) != set(self.receipts):
            found.append("it was made of the answers of other sites")
        for site, answer in answers.items():
            if answer.receipt.request != request.digest or answer.receipt.site != site:
                found.append(f"{site}: the receipt is of another request or site")
            if digest_of_receipt(answer.receipt) != self.receipts.get(site):
                found.append(f"{site}: it was made of another receipt")
            found += [f"{site}: {problem}" for problem in answer.problems()]
        if not found:
            try:
                again = self.again(request, answers)
            except (FedkitError, KeyError, TypeError, ValueError, AttributeError):
                return ("the answers cannot be read as its own",)
            if again.digest != self.digest:
                found.append("its figures are not those that the answers give")
        return tuple(found)

    def again(self, request: CodeRequest, answers: Mapping[str, Answer]) -> Self:
        """The result that these answers give, with the sites that are missing here."""
        return type(self).build(request, answers, self.missing)

    def note(self) -> str:
        """What a reader has to know beside the cells."""
        return ""

    def __repr__(self) -> str:
        return as_text(self.title(), self.cells(), self.footer())

    def _repr_html_(self) -> str:
        return as_html(self.title(), self.cells(), self.footer())

    def title(self) -> str:
        """A line above the cells."""
        count = len(self.receipts)
        return f"{type(self).__name__} of {count} site{'' if count == 1 else 's'}, request {short(self.request)}"

    def footer(self) -> list[str]:
        """Lines below the cells: what to know of them, who is missing and why, the digest."""
        missing = [f"{site} gave nothing: {why}" for site, why in self.missing.items()]
        return [line for line in (self.note(), *missing, f"result {short(self.digest)}") if line]


def digest_of_receipt(receipt: Receipt) -> str:
    """A receipt's name in a result: of all of it, signature and salt included."""
    return digest(receipt.to_json())


def receipts_of(answers: Mapping[str, Answer]) -> dict[str, str]:
    """Site → digest of its receipt."""
    return {site: digest_of_receipt(answer.receipt) for site, answer in answers.items()}
