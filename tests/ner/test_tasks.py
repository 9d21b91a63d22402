"""What a site runs for a request: results fit the contract, and nothing of the notes is in them."""

from __future__ import annotations

import json

import numpy as np
import pytest
from ner.conftest import LABELS, make_notes

from fedkit.digests import digest
from fedkit.errors import DigestMismatch, TrainingError
from fedkit.federation.parameters import digest_parameters
from fedkit.governance.request import CodeRequest, DataPermit, Entry
from fedkit.ner import tasks
from fedkit.ner.comparison import Notes
from fedkit.ner.metrics import from_numbers, micro


@pytest.fixture
def at_site(settings):
    return {**settings, "round": 1, "site": "no"}


def test_both_entries_keep_to_their_contracts(site_notes, settings, at_site):
    contracts = tasks.contracts(settings)
    start = tasks.initial_parameters(settings)
    trained = tasks.train_round(site_notes, start, at_site)
    contracts["train_round"].check(trained["tensors"], trained["numbers"])
    scored = tasks.evaluate(site_notes, trained["tensors"], at_site)
    contracts["evaluate"].check(scored["tensors"], scored["numbers"])
    assert scored["tensors"] == {}


def test_nothing_leaves_but_tensors_of_the_models_shapes_and_numbers(site_notes, settings, at_site):
    result = tasks.train_round(site_notes, tasks.initial_parameters(settings), at_site)
    assert set(result) == {"tensors", "numbers"}
    assert all(isinstance(v, int | float) for v in result["numbers"].values())
    assert {k: v.shape for k, v in result["tensors"].items()} == {
        k: v.shape for k, v in tasks.initial_parameters(settings).items()
    }


def test_the_weights_that_arrive_are_not_changed_in_place(site_notes, settings, at_site):
    start = tasks.initial_parameters(settings)
    before = {k: v.copy() for k, v in start.items()}
    result = tasks.train_round(site_notes, start, at_site)
    assert all(np.array_equal(before[k], start[k]) for k in start)
    assert any(not np.array_equal(result["tensors"][k], start[k]) for k in start)


def test_the_source_that_a_steward_reads_runs_and_gives_the_same(site_notes, settings, at_site):
    scope: dict = {}
    exec(compile(tasks.SOURCE, "request", "exec"), scope)  # as the worker does
    start = tasks.initial_parameters(settings)
    mine, theirs = (f(site_notes, start, at_site) for f in (tasks.train_round, scope["train_round"]))
    assert mine["numbers"] == theirs["numbers"]
    assert all(np.array_equal(mine["tensors"][k], theirs["tensors"][k]) for k in start)


@pytest.mark.parametrize("split", ["test", "dev", "train"])
def test_a_model_that_is_given_is_scored_on_the_split_that_was_approved(site_notes, settings, at_site, split):
    weights = tasks.initial_parameters(settings)
    asked = {**at_site, "split": split, "weights": digest_parameters(weights)}
    scored = tasks.score_given(site_notes, weights, asked)
    assert scored["tensors"] == {}
    assert set(scored["numbers"]) == {f"{split}.{kind}.{label}" for kind in ("tp", "fp", "fn") for label in settings["labels"]}
    gold = sum(len(note.spans) for note in getattr(site_notes, split))
    assert sum(v for k, v in scored["numbers"].items() if ".tp." in k or ".fn." in k) == gold


def test_weights_that_nobody_approved_are_not_scored(site_notes, settings, at_site):
    weights = tasks.initial_parameters(settings)
    asked = {**at_site, "split": "test", "weights": digest_parameters(weights)}
    name = next(iter(weights))
    weights[name] = np.nextafter(weights[name], np.float32(1))
    with pytest.raises(DigestMismatch, match="other weights"):
        tasks.score_given(site_notes, weights, asked)


def test_small_sites_see_their_notes_more_often_where_there_are_many_in_all():
    many = tasks.default_settings(LABELS, notes={"no": 9_000, "et": 1_000})["training"]["site_epochs"]
    assert many["et"] == pytest.approx(3 * many["no"], rel=1e-3)
    assert "site_epochs" not in tasks.default_settings(LABELS, notes={"no": 900, "et": 100})["training"]
    assert "site_epochs" not in tasks.default_settings(LABELS)["training"]


def test_source_contracts_and_settings_make_a_request(settings):
    contracts = tasks.contracts(settings)
    permit = DataPermit("p1", "a purpose", ("notes",), "2030-01-01")
    entries = tuple(Entry(name, 3, contract) for name, contract in contracts.items())
    request = CodeRequest("title", "a purpose", "ada", permit, "notes", tasks.SOURCE, "0" * 64, entries, settings)
    assert CodeRequest.from_json(json.loads(json.dumps(request.to_json()))).digest == request.digest


def test_notes_are_encoded_once_while_the_worker_lives(site_notes, settings, at_site, monkeypatch):
    from fedkit.ner.models.hash_cnn import HashCNN

    calls = []
    encode = HashCNN.encode
    monkeypatch.setattr(HashCNN, "encode", lambda self, notes: calls.append(len(notes)) or encode(self, notes))
    start = tasks.initial_parameters(settings)
    for number in (1, 2, 3):
        tasks.train_round(site_notes, start, {**at_site, "round": number})
    assert sorted(calls) == [12, 60]


def test_a_cached_round_and_a_fresh_one_give_the_same_bits(site_notes, settings, at_site):
    start = tasks.initial_parameters(settings)
    tasks.train_round(site_notes, start, at_site)
    second = {**at_site, "round": 2}
    warm = tasks.train_round(site_notes, start, second)["tensors"]
    cold = tasks.train_round(Notes(site_notes.train, site_notes.dev, site_notes.test), start, second)["tensors"]
    assert all(np.array_equal(warm[k], cold[k]) for k in warm)


def test_a_site_without_training_notes_is_named(settings, at_site):
    with pytest.raises(TrainingError, match="site no has no training notes"):
        tasks.train_round(Notes(dev=make_notes(3)), tasks.initial_parameters(settings), at_site)


def test_a_site_without_development_notes_counts_nothing_and_trains(settings, at_site):
    result = tasks.train_round(Notes(train=make_notes(3)), tasks.initial_parameters(settings), at_site)
    assert micro(from_numbers(result["numbers"], LABELS, "dev")).f1 == 0.0


def test_the_first_weights_are_those_of_the_seed(settings):
    first, again = tasks.initial_parameters(settings), tasks.initial_parameters(settings)
    other = tasks.initial_parameters({**settings, "seed": 8})
    assert all(np.array_equal(first[k], again[k]) for k in first)
    assert any(not np.array_equal(first[k], other[k]) for k in first)


def test_the_default_settings_are_plain_json_and_do_not_depend_on_the_order_of_labels():
    settings = tasks.default_settings(["PER", "LOC"])
    assert digest(settings) == digest(tasks.default_settings(["LOC", "PER"]))
    settings["training"]["lr"] = 1.0
    assert tasks.default_settings(["PER", "LOC"])["training"]["lr"] != 1.0
