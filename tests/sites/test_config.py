"""`federation.toml`: written and read back the same, and named errors for what a person got wrong."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fedkit.config import FILE, FederationConfig, SiteEntry, limits_of, patience_of, read_config, write_config
from fedkit.errors import ConfigurationError
from fedkit.governance.waiting import Patience
from fedkit.sites.confinement import Limits

_TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)
_CONFIGS = st.builds(
    FederationConfig,
    _TEXT,
    _TEXT,
    _TEXT,
    st.lists(st.builds(SiteEntry, _TEXT, _TEXT, _TEXT), min_size=1, max_size=4).map(tuple),
    st.dictionaries(st.sampled_from(["seconds", "idle_seconds"]), st.floats(0.1, 1e6)),
    st.just("") | _TEXT,
)


@given(_CONFIGS)
def test_what_is_written_is_read_back(tmp_path_factory: pytest.TempPathFactory, config: FederationConfig) -> None:
    folder = tmp_path_factory.mktemp("config")
    write_config(folder, config)
    assert read_config(folder) == config


def test_no_file_is_no_configuration(tmp_path: Path) -> None:
    assert read_config(tmp_path) is None


@pytest.mark.parametrize(
    "text", ["", "name = 1 =", 'name = "x"', 'name = "x"\ndataset = "n"\ncorpus = "c"\nsites = [1]', "\x00"]
)
def test_a_malformed_file_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / FILE).write_text(text)
    with pytest.raises(ConfigurationError, match=FILE):
        read_config(tmp_path)


@pytest.mark.parametrize("limits", [{"speed": 1}, {"seconds": 0}, {"seconds": -1.0}, {"seconds": True}, {"seconds": "60"}])
def test_what_is_no_limit_is_named(limits: dict[str, object]) -> None:
    with pytest.raises(ConfigurationError, match="limits"):
        limits_of(limits)


def test_limits_change_only_what_they_name() -> None:
    usual = Limits()
    changed = limits_of({"seconds": 60, "workers": 2.0})
    assert (changed.seconds, changed.workers, changed.memory) == (60.0, 2, usual.memory)
    assert type(changed.workers) is int
    assert limits_of({}) == usual


SITES = (SiteEntry("no", "North", "nb"),)


def test_how_long_requests_wait_is_kept(tmp_path: Path) -> None:
    write_config(tmp_path, FederationConfig("x", "notes", "c", SITES, waiting={"remind": [1, 2], "lapse": 3}))
    config = read_config(tmp_path)
    assert config is not None
    assert patience_of(config.waiting) == Patience((1, 2), 3)
    assert patience_of({}) == Patience()


@pytest.mark.parametrize(
    "lines", ["lapse = 5", 'lapse = "never"', "remind = 3", "remind = [9, 8]", "patience = 1", "lapse = true"]
)
def test_days_that_are_none_are_named(lines: str, tmp_path: Path) -> None:
    write_config(tmp_path, FederationConfig("x", "notes", "c", SITES))
    file = tmp_path / "federation.toml"
    file.write_text(f"{file.read_text()}\n[waiting]\n{lines}\n")
    with pytest.raises(ConfigurationError, match="waiting"):
        read_config(tmp_path)
