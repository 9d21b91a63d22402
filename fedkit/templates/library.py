"""The trusted task library: standing approvals for templates, open where a template says that nothing else can leave.

    review = desk.review(digest)                                   # of the first count that somebody asks for
    desk.stand(trusted(review.request, site="no", steward=desk.address, findings=review.findings, labels=card.labels))

From then on the site answers counts of any of these labels by itself, as often as the standing approval says. What is not left
open stays as it was reviewed: code, environment, data set, output contract and every other setting.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from fedkit.errors import RequestError
from fedkit.governance.kinds import QUERY
from fedkit.governance.request import CodeRequest
from fedkit.governance.review import Finding
from fedkit.governance.standing import StandingApproval
from fedkit.governance.varying import Choices, Name, Range, Varying
from fedkit.templates import template_of


def trusted(
    request: CodeRequest,
    *,
    site: str,
    steward: str,
    findings: Iterable[Finding] = (),
    labels: Sequence[str] = (),
    words: Sequence[str] = (),
    years: Sequence[int] = (),
    **limits: Any,
) -> StandingApproval:
    """A standing approval for what is like this request of a template, to be signed by the steward.

    labels: each may be the condition of a count or table, alone.   words: so may each of these.   years: the period may be any
        of these, or none, whole years only. Nothing finer is left open: many overlapping conditions give small groups away.
    **limits: `researchers`, `permits`, `requests`, `per_day`, `days` … of `StandingApproval.from_request`.
    Raises RequestError for code that is no template's: that wants a review of its own.
    """
    if template_of(request) is None:
        raise RequestError(
            "this code is no template's",
            expected="an unaltered request of count, table, training or evaluation",
            got="code, parameters or contracts of somebody's own",
            help="review it by itself; StandingApproval.from_request can still stand for it",
        )
    return StandingApproval.from_request(
        request, open_settings(request, labels, words, years), site=site, steward=steward, findings=findings, **limits
    )


def open_settings(
    request: CodeRequest, labels: Sequence[str] = (), words: Sequence[str] = (), years: Sequence[int] = ()
) -> dict[str, Varying]:
    """Setting → how it may differ from the request's; see `trusted`. The weights of an evaluation are not among them: whoever
    chooses weights freely can ask for what is in a single note."""
    asked = request.settings
    if request.kind == "training":
        found: dict[str, Varying] = {"rounds": Range(max(1, asked["sequential_rounds"]), asked["rounds"])}
        found["seed"] = Range(0, 2**31)
    elif request.kind == "evaluation":
        found = {"split": Choices(("test", "dev"))}
    elif request.kind == QUERY:
        found = {"questions": Range(1, asked["questions"]), "rho": Choices(tuple(dict.fromkeys((asked["rho"], 0))))}
    else:
        found = {
            "labels": _one_of(asked["labels"], labels),
            "words": _one_of(asked["words"], words),
            "negated": Choices((False, True)),
            "since": Choices(tuple(dict.fromkeys([asked["since"], "", *(f"{year}-01-01" for year in years)]))),
            "until": Choices(tuple(dict.fromkeys([asked["until"], "", *(f"{year}-12-31" for year in years)]))),
        }
    return {**found, **({"study": Name()} if "study" in asked else {})}


def _one_of(reviewed: Sequence[str], allowed: Sequence[str]) -> Choices:
    """What was reviewed, nothing, or one of those that are allowed."""
    values = [list(reviewed), [], *([word] for word in allowed)]
    return Choices(tuple(value for i, value in enumerate(values) if value not in values[:i]))
