"""The form, the page and the desk at sites that run: what they do there, and what of a site's private text reaches them."""

from __future__ import annotations

import shutil
import stat
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from widget_samples import CANARY, click, everything_sent, live_html, table_rows

import fedkit
from fedkit.errors import NotApproved, RequestError, SiteError
from fedkit.governance.request import CodeRequest
from fedkit.governance.standing import Choices, Name
from fedkit.sites.launch import Federation
from fedkit.stewardship import Stewardship
from fedkit.study import Study
from fedkit.widgets import RequestForm, ReviewPanel, StewardDesk

SAMPLES = Path(__file__).parents[2] / "data_samples"
PURPOSE = "Plan the capacity of MR"
GOOD: dict[str, Any] = {
    "title": "Notes that speak of MR",
    "purpose": PURPOSE,
    "permit_id": "permit-9",
    "permit_purpose": PURPOSE,
    "category": "care",
    "parameters": {"by": "label", "words": ["MR*"]},
}
TALKATIVE = f'''def analyse(notes, weights, settings):
    """How many notes there are; and it prints."""
    print("{CANARY}")
    return {{"numbers": {{"notes": len(notes.train)}}}}
'''


@pytest.fixture(scope="module")
def federation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Federation]:
    """Two sites in this process, one of them with a second steward."""
    folder = tmp_path_factory.mktemp("federation")
    for name in ("no", "fi"):
        shutil.copytree(SAMPLES / name, folder / "corpus" / name)
    made = fedkit.launch("widgets", folder / "f", corpus=folder / "corpus")
    made.add_user("no", "berit", "steward", name="Berit Aas")
    yield made
    made.close()


@pytest.fixture
def study(federation: Federation, tmp_path: Path) -> Iterator[Study]:
    made = Study(federation, tmp_path / f"study-{tmp_path.name}")
    yield made
    made.close()


def form_of(study: Study, **more: Any) -> RequestForm:
    return RequestForm.for_study(study, templates=("count", "table", "analysis", "training"), **{**GOOD, **more})


def asked(study: Study, **more: Any) -> CodeRequest:
    """A request that was submitted to every site."""
    form_of(study, **more).submit()
    return study.requested()


@pytest.fixture
def desk(federation: Federation) -> Iterator[Stewardship]:
    made = Stewardship.of(federation, "no")
    yield made
    made.session.close()


# -- the form
def test_the_digest_that_the_form_shows_is_the_one_that_the_sites_get(study: Study) -> None:
    form = form_of(study)
    assert form.draft is not None
    shown = form.draft.digest
    assert shown in live_html(form)
    assert study.code_request is None, "a draft leaves no trace"
    form.submit()
    assert study.requested().digest == shown
    assert {state.status for state in form.states.values()} == {"pending"}


def test_a_rehearsal_asks_nobody(study: Study) -> None:
    form = form_of(study)
    assert {result.site for result in form.rehearse()} == set(study.sites)
    assert "Nobody was asked yet" in live_html(form)
    assert [s for s in study.session("no", "steward").requests() if s.digest == study.requested().digest] == []


def test_each_parameter_says_what_is_wrong_and_the_form_waits_for_it(study: Study) -> None:
    form = form_of(study)
    form.parameters.fields["threshold"].value = 1
    assert "a whole number from 2 to 1000" in form.problems["parameters.threshold"]
    assert form.draft is None
    assert form._button.disabled
    form.parameters.fields["threshold"].value = 20
    assert form.draft is not None
    assert form.draft.settings["threshold"] == 20


def test_what_no_single_field_can_know_is_said_below_them(study: Study) -> None:
    form = form_of(study, parameters={"by": "type"})
    assert form.draft is None
    assert "the values of type are not known" in live_html(form)
    assert form._button.disabled
    form.set(parameters={"values": ["discharge"]})
    assert form.draft is not None


def test_another_template_has_other_fields_and_keeps_the_rest(study: Study) -> None:
    form = form_of(study)
    form.set(template="table", parameters={"by": ["label", "language"]})
    assert form.draft is not None
    assert (form.draft.kind, form.draft.title) == ("table", GOOD["title"])
    form.fields["source"].value = TALKATIVE
    assert form.values.source == "", "a template runs its own code and no other"
    assert "What a static look finds" not in live_html(form)
    form.set(template="analysis", parameters={"numbers": {"notes": [0, 1e6]}})
    assert form.values.source == TALKATIVE
    form.set(template="training")
    assert form.draft is not None
    assert form.draft.settings["rounds"] == form.values.rounds


def test_a_permit_for_others_is_noticed_before_anybody_is_asked(study: Study, federation: Federation) -> None:
    form = form_of(study, permit_users=f"0x{'1' * 40}")
    assert federation.researcher in form.problems["permit_users"]
    form.set(permit_users=federation.researcher)
    assert form.problems == {}
    assert form.values.permit.users == (federation.researcher,)
    form.set(permit_users="Kari")
    assert "0x" in form.problems["permit_users"]


def test_findings_in_ones_own_code_stand_there_as_it_is_typed_and_refused_code_is_asked_of_nobody(study: Study) -> None:
    form = form_of(study, template="analysis", source="import os\n" + TALKATIVE, parameters={"numbers": {"notes": [0, 1e6]}})
    rows = table_rows(form._preview.value)
    assert any(row[:3] == ["must be refused", "1", "import"] for row in rows)
    assert "The sites refuse this code" in form._preview.value
    with pytest.raises(RequestError, match="fails on mock data"):
        form.submit()
    assert form.submitted is None
    form.fields["source"].value = TALKATIVE
    assert "must be refused" not in form._preview.value
    assert "look closely" in form._preview.value


def test_a_new_kernel_finds_what_was_typed_and_where_it_stands(study: Study, federation: Federation) -> None:
    first = form_of(study, category="policy")
    first.submit()
    study.decide("fi", approved=False, reason="too few nurses")
    again = Study(federation, study.folder)
    form = form_of(again)
    assert form.values == first.values
    assert form.submit() == "It was submitted before."
    assert ["fi", "denied", "", "too few nurses"] in table_rows(form._states.value)
    assert form._button.disabled, "what was submitted is not submitted twice"
    form.set(title="Another question")
    assert not form._button.disabled
    again.close()


def test_a_site_that_does_not_answer_is_named_and_the_others_are_shown(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    form = form_of(study)
    form.submit()
    real = study.session

    def lost(site: str, level: str) -> Any:
        if site == "fi":
            raise SiteError("fi does not answer", help="ask its people")
        return real(site, level)

    monkeypatch.setattr(study, "session", lost)
    form.look()
    rows = {row[0]: row[1:] for row in table_rows(form._states.value)}
    assert rows["fi"] == ["not known", "", "fi does not answer"]
    assert rows["no"][0] == "waiting for a decision"


# -- the page and the desk
def test_the_desk_lists_what_waits_and_an_approval_takes_it_off(study: Study, desk: Stewardship) -> None:
    request = asked(study)
    view = StewardDesk(desk)
    assert request.digest in [state.digest for state in view.waiting]
    page = view.choose(request.digest)
    assert "Counts patients and notes by label" in live_html(page), "what a template does stands there in words"
    assert "fewer than 10 stays at the site" in live_html(page)
    page.approve(rounds=1)
    assert request.digest not in [state.digest for state in view.waiting]
    assert page.signed is not None
    assert page.signed.steward == desk.address
    assert page.signed.signature in live_html(page)
    assert page.signed.signature not in repr(page._repr_mimebundle_()["text/html"]), (
        "a notebook that compares holds no signature"
    )


def test_an_approval_can_be_withdrawn_and_then_nothing_runs(study: Study, desk: Stewardship) -> None:
    request = asked(study)
    page = ReviewPanel.at(desk, request.digest)
    with pytest.raises(NotApproved, match="has given no approval"):
        page.withdraw("too soon")
    page.approve()
    with pytest.raises(RequestError, match="needs a reason"):
        page.withdraw(" ")
    assert page.withdraw("the permit is being looked at").status == "revoked"
    with pytest.raises(NotApproved, match="the permit is being looked at"):
        study.session("no", "researcher").execute(request.digest, "count", 1)


def test_from_now_on_the_site_decides_what_differs_only_as_was_said(
    study: Study, desk: Stewardship, federation: Federation
) -> None:
    request = asked(study)
    page = ReviewPanel.at(desk, request.digest)
    standing = page.approve_from_now_on({"study": Name(), "words": Choices((["MR*"], ["CT*"]))}, requests=2, per_day=2, days=7)
    assert page.state.status == "approved", "the request that was read is approved by a person"
    assert standing.explain() in unescape(live_html(page))

    def next_one(name: str, words: list[str]) -> str:
        other = Study(federation, study.folder.parent / name)
        digest = asked(
            other, parameters={"by": "label", "words": words}, permit_expires=form_of(study).values.permit_expires
        ).digest
        other.close()
        return digest

    covered, another = next_one("covered", ["CT*"]), next_one("another", ["diabetes*"])
    states = {state.digest: state for state in desk.requests()}
    assert (states[covered].status, states[covered].automatic) == ("approved", standing.digest)
    assert states[another].status == "pending"
    assert any("words" in near.why for near in desk.review(another).standing)

    view = StewardDesk(desk)
    view.standing.withdraw(standing.digest, "the ethics board asks for a new round")
    late = next_one("late", ["CT*"])
    assert {state.digest: state for state in desk.requests()}[late].status == "pending"
    assert "withdrawn: the ethics board" in live_html(view.standing)


def test_several_at_once_each_get_a_signature_of_their_own(desk: Stewardship, federation: Federation, tmp_path: Path) -> None:
    studies = [Study(federation, tmp_path / f"s{n}") for n in range(3)]
    digests = [asked(one, parameters={"by": "label", "words": [f"MR{n}*"]}).digest for n, one in enumerate(studies)]
    view = StewardDesk(desk)
    group = next(n for n, g in enumerate(view.groups.groups) if set(digests) <= set(g.digests))
    with pytest.raises(RequestError, match="needs a reason"):
        view.groups.decide(group, approved=False)
    states = view.groups.decide(group, approved=False, reason="ask for them as one")
    assert {state.status for state in states if state.digest in digests} == {"denied"}
    assert len({desk.decision(digest).signature for digest in digests}) == 3  # type: ignore[union-attr]
    assert not set(digests) & {state.digest for state in view.waiting}
    for one in studies:
        one.close()


def test_a_request_is_handed_over_and_a_colleague_acts_for_a_time(study: Study, desk: Stewardship) -> None:
    request = asked(study)
    page = ReviewPanel.at(desk, request.digest)
    assert page.assign("berit").assigned == "berit"
    view = StewardDesk(desk)
    assert "berit" in live_html(view)
    with pytest.raises(RequestError, match="no such colleague"):
        view.delegation.delegate("nobody", 3)
    assert view.delegation.delegate("berit", 3).delegate == desk.colleagues["berit"]
    page.deny("enough for a test")


def test_what_code_printed_reaches_no_widget_and_a_file_that_only_its_owner_reads(
    study: Study, desk: Stewardship, tmp_path: Path
) -> None:
    request = asked(study, template="analysis", source=TALKATIVE, parameters={"numbers": {"notes": [0, 1e6]}})
    page = ReviewPanel.at(desk, request.digest)
    page.approve()
    study.session("no", "researcher").execute(request.digest, "analyse", 1)
    assert page.logs.load() == [("analyse", 1, "ok", "", 1)]
    file = page.logs.save(tmp_path / "printed.txt")
    assert CANARY in file.read_text("utf-8")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    shown = everything_sent(page.logs)
    assert CANARY not in shown, "the code that prints may be shown, what it printed may not"
    assert "may hold words of private notes" in shown
    with pytest.raises(RequestError, match="there already"):
        page.logs.save(file)
    with pytest.raises(RequestError, match="no file"):
        page.logs.save(" ")


def test_a_privacy_cost_stands_beside_what_is_spent(study: Study, desk: Stewardship) -> None:
    form = form_of(study, parameters={"by": "label", "rho": 0.25})
    assert "0.25 an execution" in live_html(form)
    form.submit()
    page = ReviewPanel.at(desk, study.requested().digest)
    assert "0 spent by this researcher so far" in live_html(page)
    page.approve()
    study.session("no", "researcher").execute(study.requested().digest, "count", 1)
    assert "0.25 spent by this researcher so far, 0.25 by all" in live_html(ReviewPanel.at(desk, study.requested().digest))


def test_no_key_and_no_password_is_in_what_a_browser_gets(study: Study, desk: Stewardship, federation: Federation) -> None:
    form = form_of(study)
    form.submit()
    view = StewardDesk(desk)
    view.choose(study.requested().digest).approve()
    sent = everything_sent(view) + everything_sent(form)
    secrets = [file.read_bytes() for file in (federation.folder / "keys").iterdir()]
    secrets += [account.password.encode() for accounts in federation._accounts.values() for account in accounts.values()]
    assert len(secrets) > 8
    for secret in secrets:
        forms = {secret.hex(), secret.decode("utf-8", "replace").strip().removeprefix("0x")}
        assert not [text for text in forms if len(text) >= 8 and text in sent]


def test_a_page_without_a_desk_offers_only_the_decision(study: Study) -> None:
    asked(study)
    page = ReviewPanel(study.review("fi"), lambda **_: study.review("fi").state)
    with pytest.raises(RequestError, match="no desk"):
        page.approve_from_now_on()
    with pytest.raises(RequestError, match="no desk"):
        page.assign("berit")
    assert "Approve from now on" not in live_html(page)


def test_a_click_on_a_waiting_request_opens_its_page(study: Study, desk: Stewardship) -> None:
    request = asked(study)
    view = StewardDesk(desk)
    view._choice.value = request.digest
    click(view._open)
    assert view.panel is not None
    assert view.panel.review.request.digest == request.digest
    with pytest.raises(RequestError, match="no such request here"):
        view.choose("0" * 64)
