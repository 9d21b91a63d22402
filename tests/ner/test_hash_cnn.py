"""The embedded model: the tagger contract, and what is its own."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from ner.conftest import LABELS, make_notes
from ner.tagger_suite import TaggerSuite

from fedkit.errors import TrainingError
from fedkit.ner.features import NGRAMS, SINGLE, WordFeatures, shape_of
from fedkit.ner.models import build
from fedkit.notes.note import Note


class TestHashCNN(TaggerSuite):
    @pytest.fixture(scope="class")
    def model_settings(self):
        return {"kind": "hash-cnn", "d": 24, "rows": 512, "ngrams": 512, "layers": 2}

    def test_notes_are_encoded_once_for_models_of_the_same_tables(self, model, model_settings):
        assert model.encoding_key == build({**model_settings, "d": 32, "layers": 1}, LABELS).encoding_key
        assert model.encoding_key != build({**model_settings, "rows": 256}, LABELS).encoding_key


def test_the_default_has_half_a_million_weights():
    model = build({}, LABELS)
    assert 450_000 < sum(array.size for array in model.parameters().values()) < 550_000


@pytest.mark.parametrize("bad", [{"kind": "hash-cnn", "width": 3}, {"kind": "bag-of-words"}])
def test_unknown_kinds_and_settings_are_refused(bad):
    with pytest.raises(TrainingError):
        build(bad, LABELS)


@pytest.mark.parametrize("labels", [(), ("DRUG", "DRUG")])
def test_a_tagger_needs_different_labels(labels):
    with pytest.raises(TrainingError, match="labels"):
        build({}, labels)


def test_features_are_the_same_in_another_process():
    code = "from fedkit.ner.features import WordFeatures; print(WordFeatures(2048, 4096)(['Marevan', 'hofteprotese']).tolist())"
    other = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={"PYTHONHASHSEED": "77"}
    )
    assert other.stdout.strip() == str(WordFeatures(2048, 4096)(["Marevan", "hofteprotese"]).tolist())


@given(st.lists(st.text(min_size=1, max_size=30), max_size=20))
def test_features_fit_the_tables_and_depend_on_the_word_alone(words):
    features = WordFeatures(64, 128)
    rows = features(words)
    assert rows.shape == (len(words), SINGLE + NGRAMS)
    assert rows.size == 0 or (rows[:, :SINGLE].min() >= 1 and rows[:, :SINGLE].max() < 64 and rows[:, SINGLE:].max() < 128)
    again = WordFeatures(64, 128)
    for word, row in zip(words, rows, strict=True):
        assert np.array_equal(again([word])[0], row)


@pytest.mark.parametrize(
    ("word", "shape"), [("Oslo", "Xxx"), ("V40", "Xdd"), ("H&M:n", "X&X:x"), ("2023", "dd"), ("ÅRSAK", "XX")]
)
def test_the_shape_of_a_word(word, shape):
    assert shape_of(word) == shape


def test_a_masked_word_is_known_by_its_shape_alone():
    settings = {"d": 16, "rows": 64, "ngrams": 64, "layers": 1, "dropout": 0.0}
    same_shape = [Note("a", "Marevan i dag", "nb"), Note("b", "Panodil på dis", "nb")]

    def losses(masking):
        torch.manual_seed(1)
        model = build({**settings, "masking": masking}, LABELS)
        model.module.train()
        return [float(model.loss(model.encode([Note(n.id, n.text.split()[0], "nb")])).detach()) for n in same_shape]

    plain, masked = losses(0.0), losses(1.0)
    assert plain[0] != plain[1]
    assert masked[0] == masked[1]


def test_weights_are_many_times_smaller_than_the_vocabulary_they_serve():
    notes = make_notes(3)
    model = build({"d": 16, "rows": 32, "ngrams": 32, "layers": 1}, LABELS)
    assert model.parameters()["single"].shape == (32, 16)
    assert len(model.predict(notes)) == 3
