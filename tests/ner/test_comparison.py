"""Baselines at the federated budget, and what a second call does."""

from __future__ import annotations

import json

import pytest
from ner.conftest import LABELS, make_notes

from fedkit.ner.comparison import Comparison, baseline_settings, compare
from fedkit.notes.corpus import SiteNotes, build_corpus


def site(name, seed, train=30):
    notes = [tuple(make_notes(n, seed + i)) for i, n in enumerate((train, 4, 8, 4))]
    return SiteNotes(name, name, "nb", *notes)


@pytest.fixture
def corpus():
    return build_corpus([site("no", 10), site("pooled", 20, train=12)])


def test_baselines_get_the_federated_budget_and_a_second_call_trains_nothing(corpus, settings, tmp_path):
    told: list[str] = []
    first = compare(corpus, settings, tmp_path, told.append, parallel=0)
    assert len(told) == 3
    once = {name: sum(len(n.text.split()) for n in s.train) for name, s in corpus.sites.items()}
    assert first.words["local-no"] + first.words["local-pooled"] == first.words["pooled"]
    assert first.words["local-no"] >= once["no"] * settings["rounds"]
    told.clear()
    assert compare(corpus, settings, tmp_path, told.append, parallel=0) == first
    assert told == []
    assert Comparison.from_json(json.loads(json.dumps(first.to_json()))) == first
    assert set(first.local) == set(first.pooled) == {"no", "pooled"}
    assert set(first.local["no"]) == set(LABELS)


def test_worker_processes_count_the_same_as_this_one(corpus, settings, tmp_path):
    here = compare(corpus, settings, tmp_path / "here", parallel=0)
    there = compare(corpus, settings, tmp_path / "there", parallel=1)
    assert (here.local, here.pooled, here.words) == (there.local, there.pooled, there.words)


def test_other_settings_are_another_comparison(corpus, settings, tmp_path):
    compare(corpus, settings, tmp_path, parallel=0)
    told: list[str] = []
    compare(corpus, {**settings, "seed": 8}, tmp_path, told.append, parallel=0)
    assert len(told) == 3


def test_a_baseline_runs_as_long_as_all_rounds_in_one(settings):
    alone = baseline_settings(settings, "local-no", {"local": {"lr": 0.5}})
    assert (alone["rounds"], alone["training"]["epochs_per_round"], alone["training"]["lr"]) == (1, 3.0, 0.5)
    assert baseline_settings(settings, "pooled", {})["training"]["lr"] == settings["training"]["lr"]


def test_a_local_model_sees_its_notes_as_often_as_the_federated_plan_does(settings):
    plan = {**settings, "training": {**settings["training"], "site_epochs": {"et": 2.5}}}
    assert baseline_settings(plan, "local-et", {})["training"]["epochs_per_round"] == 7.5
    assert baseline_settings(plan, "local-no", {})["training"]["epochs_per_round"] == 3.0
    assert baseline_settings(plan, "pooled", {})["training"]["epochs_per_round"] == 3.0


def test_a_site_without_training_notes_has_no_local_model(settings, tmp_path):
    corpus = build_corpus([site("no", 10), site("fi", 20, train=0)])
    result = compare(corpus, settings, tmp_path, parallel=0)
    assert "local-fi" not in result.words
    assert all(c.tp + c.fp + c.fn == 0 for c in result.local["fi"].values())
    assert sum(c.tp + c.fn for c in result.pooled["fi"].values()) > 0
