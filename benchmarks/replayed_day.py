"""A day of fifty requests at one site, replayed with and without standing approvals: how many decisions people had to make.

    python benchmarks/replayed_day.py

The day is data: who asks, what, and what a careful steward would say of it (`verdict`), written down by hand and looked at by
nothing that decides. A site in this process takes the requests one by one. In the morning a steward reads the first training,
count and table, and lets what is like them stand; a look at a request is one decision, with or without the second signature.
Prints one JSON object.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fedkit.environment import environment_digest
from fedkit.errors import FedkitError
from fedkit.governance.decision import Decision
from fedkit.governance.output_contract import OutputContract
from fedkit.governance.request import CodeRequest, DataPermit, Entry
from fedkit.governance.standing import Name, Range, StandingApproval
from fedkit.sites.base import Site
from fedkit.sites.launch import Federation, default_corpus, launch
from fedkit.templates import Data, template
from fedkit.templates.library import trusted

SITE = "no"

#: Training code of a group's own: small, so that the day is about deciding.
TRAIN = '''"""Move a weight towards the number of mentions in a note, for a few epochs."""
import numpy as np


def train(notes, weights, settings):
    w = weights["w"] if weights else np.zeros(4, "float32")
    mean = sum(len(note.spans) for note in notes.train) / max(1, len(notes.train))
    for _ in range(settings["epochs"]):
        w = w + settings["rate"] * (np.float32(mean) - w)
    return {"tensors": {"w": w.astype("float32")}, "numbers": {"notes": len(notes.train)}}
'''
CHANGED = TRAIN.replace('settings["rate"] * ', '2 * settings["rate"] * ')
PRINTS = TRAIN.replace("    w = weights", "    print(notes.train[0].text)\n    w = weights")
SENDS = TRAIN.replace("import numpy as np", "import socket\n\nimport numpy as np")
HIDES = TRAIN.replace("    w = weights", "    exec(settings['payload'])\n    w = weights")
NARROW = OutputContract({"w": (4,)}, {"notes": (0.0, 1e5)})
WIDE = OutputContract({"w": (4,)}, {"notes": (-1e12, 1e12)})

#: name → what the permit is: the two that the authority gave, one of another site and one that has run out.
PERMITS: Mapping[str, DataPermit] = {
    "ada's": DataPermit("permit-ada", "Find implants before an MRI", ("notes",), "2099-01-01"),
    "ben's": DataPermit("permit-ben", "Count what is prescribed", ("notes",), "2099-01-01", "statistics"),
    "another site's": DataPermit("permit-se", "Find implants before an MRI", ("notes",), "2099-01-01", sites=("sv",)),
    "old": DataPermit("permit-old", "Find implants before an MRI", ("notes",), "2020-01-01"),
}


@dataclass(frozen=True)
class Ask:
    """One request of the day. what: "train", "count" or "table".   given: settings, parameters or other changes.

    verdict: what a careful steward says: "fine" as it is like what was read before; "read" if a person has to look at it first;
        "no" if it must never run.   first: whether a steward reads it in the morning and lets what is like it stand.
    """

    who: str
    what: str
    given: Mapping[str, Any] = field(default_factory=dict)
    verdict: str = "fine"
    permit: str = ""
    first: bool = False


def _day() -> list[Ask]:
    labels = ["IMPLANT", "DRUG", "REACTION", "BODY_SITE"]
    table = {"by": ["label", "year"], "values": {"year": ["2024", "2025"]}}
    fifteen = [{"rate": round(0.05 * n, 2), "epochs": 1 + n % 5} for n in range(1, 16)]
    return [
        Ask("ada", "train", {"rate": 0.1, "epochs": 1}, "read", first=True),
        Ask("ada", "count", {"labels": [labels[0]]}, "read", first=True),
        Ask("ada", "table", table, "read", first=True),
        *(Ask("ada", "train", given) for given in fifteen[:8]),
        *(Ask("ada", "count", {"labels": [label]}) for label in labels[1:]),
        Ask("ada", "train", {"source": CHANGED, "rate": 0.1, "epochs": 1}, "read"),
        Ask("ada", "train", {"source": SENDS, "rate": 0.1, "epochs": 1}, "no"),
        Ask("ben", "count", {"labels": [labels[1]]}, "read"),
        *(Ask("ben", "count", {"labels": [label], "since": "2024-01-01"}) for label in labels),
        Ask("ada", "train", {"source": PRINTS, "rate": 0.1, "epochs": 1}, "no"),
        *(Ask("ada", "train", given) for given in fifteen[8:]),
        *(Ask("ada", "table", {**table, "labels": [label]}) for label in labels),
        Ask("ada", "train", {"rate": 0.2, "epochs": 5, "environment": "0" * 64}, "no"),
        *(Ask("ben", "table", {**table, "words": [w]}) for w in ("protese", "penicillin")),
        Ask("ada", "train", {"rate": 0.3, "epochs": 2}, "no", permit="another site's"),
        Ask("ada", "train", {"contract": WIDE, "rate": 0.1, "epochs": 1}, "read"),
        Ask("ada", "train", {"rate": 0.3, "epochs": 2}, "no", permit="old"),
        *(Ask("ben", "table", {**table, "labels": [label]}) for label in labels[:3]),
        *(Ask("ada", "count", {"labels": [label], "negated": True}) for label in labels),
        Ask("ada", "train", {"source": HIDES, "rate": 0.1, "epochs": 1, "payload": "pass"}, "no"),
        Ask("ada", "train", {"rate": 0.42, "epochs": 4}, "read"),  # the sixteenth repetition of fifteen that stand approved
        Ask("ben", "count", {"labels": [labels[2]], "until": "2025-12-31"}),
        Ask("ben", "count", {"labels": [labels[3]], "until": "2025-12-31"}),
    ]


DAY: Sequence[Ask] = tuple(_day())


@dataclass
class Played:
    """What became of one request. decided: "refused" (before anybody saw it), "automatic" or "person"; status: in the end."""

    ask: Ask
    request: CodeRequest
    decided: str
    status: str
    why: str = ""


class Replay:
    """The day at a running site, with its people."""

    def __init__(self, federation: Federation, *, standing: bool) -> None:
        self.federation, self.standing = federation, standing
        card = federation.add_user(SITE, "ben", "researcher")
        self.sessions: dict[str, Site] = {
            "ada": federation.login(SITE, "researcher"),
            "ben": federation.login(SITE, "ben"),
            "steward": federation.login(SITE, "steward"),
        }
        self.addresses = {"ada": federation.researcher, "ben": card.address}
        (shown,) = self.sessions["ada"].catalogue()
        self.labels, self.data = shown.labels, Data(tuple(shown.labels), {SITE: shown.notes["train"]})
        self.played: list[Played] = []

    def play(self, day: Sequence[Ask] = DAY) -> list[Played]:
        for number, ask in enumerate(day, 1):
            self.played.append(self._one(ask, self.request(ask, number)))
        return self.played

    def request(self, ask: Ask, number: int) -> CodeRequest:
        given = dict(ask.given)
        permit = PERMITS[ask.permit or f"{ask.who}'s"]
        about = {"purpose": permit.purpose, "researcher": self.addresses[ask.who], "permit": permit, "dataset": "notes"}
        title, study = f"{ask.what} {number}", {"study": f"day-{number}"}
        if ask.what != "train":
            chosen = template(ask.what)
            return chosen.request({**chosen.settings(given, self.data), **study}, title=title, **about)
        source, contract = given.pop("source", TRAIN), given.pop("contract", NARROW)
        environment = given.pop("environment", environment_digest())
        entries = (Entry("train", 3, contract),)
        return CodeRequest(
            title=title, source=source, environment=environment, entries=entries, settings=given | study, **about
        )

    def _one(self, ask: Ask, request: CodeRequest) -> Played:
        try:
            state = self.sessions[ask.who].submit(request)
        except FedkitError as error:
            return Played(ask, request, "refused", "refused", error.message)
        if state.status != "pending":
            return Played(ask, request, "automatic", state.status, state.automatic)
        state = self.sessions["steward"].decide(self._decision(request, approved=ask.verdict != "no"))
        if ask.first and self.standing:
            self._stand(ask, request)
        return Played(ask, request, "person", state.status)

    def _decision(self, request: CodeRequest, *, approved: bool) -> Decision:
        reason = "" if approved else "This must not run here."
        keys, session = self.federation.keys, self.sessions["steward"]
        made = Decision(
            request=request.digest,
            site=SITE,
            approved=approved,
            rounds=max(entry.executions for entry in request.entries) if approved else 0,
            expires=int(time.time()) + 86_400,
            reason=reason,
            reason_digest=session.reason_digest(reason),
            steward=keys.address(f"steward-{SITE}"),
        )
        return keys.sign_decision(f"steward-{SITE}", made, self.federation.ledger.domain)

    def _stand(self, ask: Ask, request: CodeRequest) -> None:
        keys, session = self.federation.keys, self.sessions["steward"]
        limits: dict[str, Any] = {"researchers": (), "permits": (), "purposes": ("research", "statistics")}
        about = {"site": SITE, "steward": keys.address(f"steward-{SITE}"), "findings": session.review(request.digest).findings}
        if ask.what == "train":
            vary = {"study": Name(), "rate": Range(0.05, 1.0), "epochs": Range(1, 5)}
            made = StandingApproval.from_request(request, vary, **about, **limits, requests=15, per_day=15)
        else:
            words = ("protese", "penicillin")
            open_ = {"labels": self.labels, "words": words, "years": (2024, 2025)}
            made = trusted(request, **about, **open_, **limits, requests=40, per_day=20)
        session.offer_standing(keys.sign_standing(f"steward-{SITE}", made, self.federation.ledger.domain))


def replay(folder: Path, *, standing: bool = True) -> list[Played]:
    """The day at a fresh site in `folder`, of the sample notes."""
    shutil.copytree(default_corpus() / SITE, folder / "corpus" / SITE)
    with launch("day", folder / "federation", corpus=folder / "corpus") as federation:
        return Replay(federation, standing=standing).play()


def counted(played: Sequence[Played]) -> dict[str, int]:
    """How many were refused, automatic, and decided by a person."""
    return {how: sum(one.decided == how for one in played) for how in ("refused", "automatic", "person")}


def unsafe(played: Sequence[Played]) -> list[Played]:
    """Those that were approved without a person, and are not "fine" by the word in the day."""
    return [one for one in played if one.decided == "automatic" and one.ask.verdict != "fine"]


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        began = time.monotonic()
        with_, without = (replay(Path(folder) / str(standing), standing=standing) for standing in (True, False))
        now, before = counted(with_), counted(without)
        print(
            json.dumps(
                {
                    "saved": 1 - now["person"] / before["person"],
                    "with": now,
                    "without": before,
                    "unsafe": len(unsafe(with_)),
                    "seconds": time.monotonic() - began,
                }
            )
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
