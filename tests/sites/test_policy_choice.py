"""The policy of a federation: chosen at its start, kept in its file, changed by its owner, and named in the journal."""

from __future__ import annotations

from pathlib import Path

import pytest

from fedkit.config import FILE, read_config
from fedkit.digests import digest
from fedkit.errors import ConfigurationError
from fedkit.governance.policies import settings_of
from fedkit.notes.corpus_writer import write_corpus
from fedkit.notes.synthetic import synthesise
from fedkit.sites.launch import launch


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
