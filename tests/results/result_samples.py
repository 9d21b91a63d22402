"""Answers of made-up sites, signed for as a real one does: numbers and data under their digests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fedkit.digests import digest_bytes
from fedkit.federation.parameters import encode
from fedkit.governance.decision import NOTHING, Receipt, digest_of_numbers
from fedkit.governance.request import CodeRequest, DataPermit
from fedkit.results import Answer
from fedkit.templates import TEMPLATES, Data

PERMIT = DataPermit("permit-1", "Find implants", ("notes",), "2027-01-31")


def asked(name: str, source: str | None = None, **parameters: Any) -> CodeRequest:
    made = TEMPLATES[name]
    settings = made.settings(parameters, Data(("DRUG", "IMPLANT")))
    return made.request(settings, title="T", purpose="Find implants", researcher="0x1", permit=PERMIT, source=source)


def answer(
    request: CodeRequest,
    site: str,
    tables: Mapping[str, list[dict[str, Any]]] | None = None,
    numbers: Mapping[str, float] | None = None,
    inputs: str = NOTHING,
) -> Answer:
    data = encode({}, tables) if tables else None
    said = {name: float(value) for name, value in (numbers or {}).items()}
    return Answer(
        Receipt(
            request.digest,
            site,
            request.entries[-1].name,
            1,
            inputs,
            digest_bytes(data) if data is not None else NOTHING,
            said,
            digest_of_numbers(said, "ab" * 32),
            "0x" + "1" * 130,
            "ab" * 32,
        ),
        data,
    )
