"""One question in one call, for lessons: whoever sits at the keyboard is researcher and steward at once.

    from fedkit.study.asking import ask

    with fedkit.launch("workshop") as federation:
        ask(federation, "count", by="label", labels=["IMPLANT"])

It is the ten steps of `Study` up to the result, with every decision signed by the workshop's own keys. In a federation whose
stewards sit at other machines it asks and waits for nobody: it says who has not decided.
"""

from __future__ import annotations

from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING, Any

from fedkit.errors import RequestError
from fedkit.results import Result
from fedkit.study.study import Study

if TYPE_CHECKING:
    from fedkit.sites.launch import Federation


def ask(
    federation: Federation,
    template: str,
    *,
    title: str = "",
    purpose: str = "A question in a lesson",
    source: str | None = None,
    folder: Path | str | None = None,
    approve: bool = True,
    **parameters: Any,
) -> Result:
    """Ask every site of a federation once, and give the result.

    template: "count", "table", "evaluation" or "analysis".   parameters: what the template asks for.
    source:   one's own code, for an analysis.   folder: of the study; default: a new one for temporary files.
    approve:  decide as every site's steward, with the keys of the workshop; else only what stands approved is answered.
    Raises RequestError for a training, which goes in rounds, and whatever `Study` raises.
    """
    if template == "training":
        raise RequestError("a training goes in rounds", expected="a Study", got="one call", help="see `fedkit.Study`")
    place = Path(folder) if folder is not None else Path(mkdtemp(prefix="fedkit-")) / "asked"
    study = Study(federation, place)
    try:
        study.describe(title=title or f"A {template}", purpose=purpose, template=template, parameters=parameters)
        study.request(source)
        study.rehearse()
        for state in study.submit():
            if approve and state.status == "pending":
                study.review(state.site)
                study.decide(state.site, approved=True)
        study.run()
        return study.result()
    finally:
        study.close()
