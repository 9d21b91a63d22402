"""Steps 1 to 4: what is asked, as a plan and as a request; the rehearsal on every mock twin; the submission."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from fedkit.errors import RequestError
from fedkit.governance.kinds import KINDS
from fedkit.governance.request import CodeRequest, DataPermit
from fedkit.governance.review import MockResult, RequestState
from fedkit.governance.secure_sum import SecureSum
from fedkit.storage import write_whole
from fedkit.study.deciding import gather_decisions
from fedkit.study.evidence import witness
from fedkit.templates import Data, template

if TYPE_CHECKING:
    from fedkit.study.study import Study

#: The weights that a request brings along, in the study's folder.
INPUTS = "inputs.safetensors"

#: Template → its entry whose results can be added up under masks.
SUMMED = {"training": "train_round", "warehouse": "query"}


def plan(
    study: Study,
    *,
    title: str,
    purpose: str,
    permit: DataPermit | None,
    dataset: str,
    name: str,
    parameters: Mapping[str, Any],
    masked: bool = False,
    noise: tuple[float, float, str] | None = None,
) -> dict[str, Any]:
    """The plan of a study, from the template called `name`; see `Study.describe`."""
    data, made = catalogued(study, dataset), template(name)
    settings = made.settings(parameters, data)
    if (weights := made.inputs(parameters)) is not None:
        write_whole(study.folder / INPUTS, weights, mode=0o666)
    if noise is not None:
        settings = _private(name, settings, data, noise)
    settings["study"] = study.folder.name  # two runs of one plan are two requests, each decided and counted on its own
    until = (datetime.now(UTC) + timedelta(days=30)).date().isoformat()
    users = () if study.user == "researcher" else (study.address,)  # who asks as themselves has a permit of their own
    permit = permit or DataPermit(f"permit-{datetime.now(UTC):%Y%m%d}", purpose, (dataset,), until, users=users)
    found: dict[str, Any] = {"title": title, "purpose": purpose, "permit": permit.to_json(), "dataset": dataset}
    found["settings"] = settings
    if masked:
        _can_be_masked(name, settings)
        found["masked"] = True
    if name != "training":
        study.say(1, f"{title}: {made.explain(settings)}")
        return {**found, "template": name}
    shown = f", the first {settings['sequential_rounds']} from site to site" if settings["sequential_rounds"] else ""
    about = f"{settings['rounds']} rounds{shown}, {_size(settings)}"
    study.say(1, f"{title}: {len(data.labels)} labels at {len(study.sites)} sites, {about}")
    told = made.noise(settings)
    if told is not None:
        from fedkit.study.private_plan import costs

        found["privacy"] = costs(told, settings["rounds"], data.notes) if told.unit == "note" else {}
        shown = ", ".join(f"{site} {epsilon:.2f}" for site, epsilon in found["privacy"].items()) or "counted at each site"
        study.say(
            1,
            f"noise {told.sigma:g} for every {told.unit}; epsilon at delta {told.delta:g} for all rounds: {shown}",
        )
    return found


def _private(name: str, settings: dict[str, Any], data: Data, noise: tuple[float, float, str]) -> dict[str, Any]:
    """Settings with noise for (epsilon, delta, unit). Raises RequestError."""
    if name != "training":
        raise RequestError(
            "epsilon is of a training", expected="the template training", got=name, help="counts and tables have a rho"
        )
    from fedkit.study.private_plan import with_noise

    return with_noise(settings, data.notes, *noise)


def request_of(study: Study, plan: Mapping[str, Any], source: str | None) -> CodeRequest:
    """The request that a plan makes. source: one's own code, where the template allows it."""
    made = template(plan.get("template", "training")).request(
        plan["settings"],
        title=plan["title"],
        purpose=plan["purpose"],
        researcher=study.address,
        permit=DataPermit.from_json(plan["permit"]),
        dataset=plan["dataset"],
        source=source,
    )
    if not plan.get("masked"):
        return made
    entry = SUMMED[plan.get("template", "training")]
    return replace(made, secure_sum=SecureSum(entry, {name: info.key for name, info in study.federation.sites.items()}))


def starting_weights(study: Study) -> bytes | None:
    """What every site is given at first, in its wire form: untrained weights, those to be evaluated, or none."""
    request = study.requested()
    if request.kind == "training":
        from fedkit.federation.parameters import encode
        from fedkit.ner.tasks import initial_parameters

        return encode(initial_parameters(request.settings))
    return (study.folder / INPUTS).read_bytes() if KINDS[request.kind].weights else None


def rehearse(study: Study) -> list[MockResult]:
    """Every entry on every mock twin; see `Study.rehearse`."""
    request, start = study.requested(), starting_weights(study)
    results: list[MockResult] = []
    for name in study.sites:
        site = study.session(name, "researcher")
        weights = site.put(start) if start is not None else None
        results += [site.rehearse(request, entry.name, weights) for entry in request.entries]
        worst = next((r.error for r in results if r.site == name and r.error), None)
        seconds = sum(r.seconds for r in results if r.site == name)
        study.say(3, worst or f"mock twin passed in {seconds:.1f} s", site=name)
    study.run_folder.write("rehearsals", [asdict(r) for r in results])
    if failed := [r for r in results if r.error]:
        raise RequestError(
            "the request fails on mock data, so no steward will see it",
            expected="a result at every site",
            got="; ".join(f"{r.site}, {r.entry}: {r.error}" for r in failed[:5]),
            help="mend the source and rehearse again; study.rehearsals() has the traceback of each mock run"
            + (f", the first is\n{failed[0].traceback}" if failed[0].traceback else ""),
        )
    return results


def submit(study: Study) -> list[RequestState]:
    """To the ledger and to each site's domain; see `Study.submit`."""
    request = study.requested()
    rehearsals = study.rehearsals()
    # A workshop's permit is of the study's own making; its federation plays the authority too.
    study.federation.ledger.issue_permit(request.permit, [study.address])
    study.federation.ledger.submit(request, study.sites)
    states = []
    for name in study.sites:
        mine = [r for r in rehearsals if r.site == name]
        states.append(study.session(name, "researcher").submit(request, mine))
        study.journal.tell("study.submitted", request=request.digest, site=name)
        witness(study, name)
        study.say(4, states[-1].status, site=name)
    gather_decisions(study)
    return states


def _size(settings: Mapping[str, Any]) -> str:
    """About how many bytes a site sends in a round, in words: of the first weights, in the form that the request names."""
    from fedkit.federation.compression import codec_for
    from fedkit.federation.parameters import encode
    from fedkit.ner.tasks import initial_parameters

    weights, codec = initial_parameters(settings), codec_for(settings)
    whole = len(encode(weights))
    if codec is None:
        return f"{whole / 1e6:.1f} MB a round and site"
    small = len(encode({name: codec.pack(array) for name, array in weights.items()}))
    return (
        f"about {small / 1e6:.2f} MB a round from each site, {whole / 1e6:.1f} MB to it ({codec.name}: 1/{whole / small:.0f})"
    )


def _can_be_masked(name: str, settings: Mapping[str, Any]) -> None:
    """Raises RequestError for what masks cannot hide."""
    if settings.get("compression"):
        raise RequestError(
            "updates under masks cannot be compressed",
            expected="masked=True or the setting compression",
            got="both",
            help="leave one of them out",
        )
    if name not in SUMMED or settings.get("sequential_rounds"):
        raise RequestError(
            "masks go with a training whose sites all train at the same time",
            expected="the template training, with no sequential rounds",
            got=f"{settings['sequential_rounds']} sequential rounds" if name == "training" else name,
            help="set sequential_rounds to 0, or leave masked out",
        )


def catalogued(study: Study, dataset: str) -> Data:
    """What the catalogues of the sites say of the data set. Raises RequestError if no site has it."""
    catalogues = {name: study.session(name, "researcher").catalogue() for name in study.sites}
    cards = {name: card for name, several in catalogues.items() for card in several if card.name == dataset}
    if not cards:
        raise RequestError(f"no site has a data set {dataset}", expected="a name from the catalogue", got=dataset)
    labels = sorted({label for card in cards.values() for label in card.labels})
    return Data(tuple(labels), {site: card.notes.get("train", 0) for site, card in cards.items()})
