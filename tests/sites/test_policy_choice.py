"""The policy of a federation: chosen at its start, kept in its file, changed by its owner, and named in the journal."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest
from test_policies_at_sites import World

from fedkit.config import FILE, read_config
from fedkit.digests import digest
from fedkit.errors import ConfigurationError, LimitReached
from fedkit.governance.decision import Receipt
from fedkit.governance.policies import settings_of
from fedkit.governance.request import CodeRequest
from fedkit.notes.corpus_writer import write_corpus
from fedkit.notes.synthetic import synthesise
from fedkit.sites.execution import Execution
from fedkit.sites.launch import launch
from fedkit.sites.under_way import Key


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("corpus")
    write_corpus(synthesise(("no",), 12, 1, {"dev": 4, "test": 4}), folder)
    return folder


def opened_with(folder: Path, **launching: object) -> str:
    """The digest of the policy that the site's journal names for this start."""
    with launch("choice", folder, **launching) as federation:  # type: ignore[arg-type]
        rows = federation.login("no", "auditor").journal()
    return [row["fields"]["policy"] for row in rows if row["act"] == "site.opened"][-1]


def test_a_policy_is_kept_until_another_is_chosen(tmp_path: Path, corpus: Path) -> None:
    assert opened_with(tmp_path, corpus=corpus, policy="strict") == digest(settings_of("strict").to_json())
    assert opened_with(tmp_path) == digest(settings_of("strict").to_json())
    changed = {"preset": "standard", "approvals": 2}
    assert opened_with(tmp_path, policy=changed) == digest(settings_of(changed).to_json())
    config = read_config(tmp_path)
    assert config is not None
    assert config.policy == changed


def test_without_one_a_federation_is_for_lessons(tmp_path: Path, corpus: Path) -> None:
    assert opened_with(tmp_path, corpus=corpus) == digest(settings_of("teaching").to_json())
    assert "[policy]" not in (tmp_path / FILE).read_text()


def test_a_policy_that_is_none_starts_nothing_and_leaves_nothing(tmp_path: Path, corpus: Path) -> None:
    with pytest.raises(ConfigurationError, match="approvals"):
        launch("choice", tmp_path, corpus=corpus, policy={"approvals": 0})
    assert not (tmp_path / FILE).exists()
    with pytest.raises(ConfigurationError, match="preset"):
        launch("choice", tmp_path, corpus=corpus, policy="lax")


def test_two_calls_at_one_moment_see_each_other_however_slowly_the_rules_are_asked(
    tmp_path: Path, corpus: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both would be admitted if the rules were asked outside the transaction that charges: each waits there for a while."""
    asked = Execution.admit

    def slow(self: Execution, request: CodeRequest, key: Key, user: str) -> Receipt | None:
        found = asked(self, request, key, user)
        time.sleep(0.5)
        return found

    with launch("choice", tmp_path, corpus=corpus, policy={"preset": "teaching", "per_hour": 1}) as federation:
        world = World(federation)
        request = world.approved("no", world.request())
        sessions = [federation.login("no", "researcher") for _ in range(2)]
        monkeypatch.setattr(Execution, "admit", slow)
        outcomes: list[object] = []

        def one(number: int) -> None:
            try:
                outcomes.append(sessions[number].execute(request.digest, "count", number + 1))
            except LimitReached as refused:
                outcomes.append(refused)

        threads = [threading.Thread(target=one, args=(number,)) for number in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(type(outcome).__name__ for outcome in outcomes) == ["LimitReached", "Receipt"]
