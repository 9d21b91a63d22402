"""The contract of `TaggerModel`: a subclass gives the fixture `model_settings`, and everything here holds of that model."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from ner.conftest import LABELS, make_notes

from fedkit.errors import TrainingError
from fedkit.ner.metrics import count_spans, micro
from fedkit.ner.models import build, load
from fedkit.ner.training import train_pass
from fedkit.notes.note import Note, Span


class TaggerSuite:
    #: rounds of one epoch that are enough to learn the made-up notes, and the rate for it
    epochs, lr = 12, 1e-2

    @pytest.fixture
    def model(self, model_settings):
        torch.manual_seed(5)
        return build(model_settings, LABELS)

    @pytest.fixture(scope="class")
    def trained(self, model_settings):
        torch.manual_seed(5)
        model = build(model_settings, LABELS)
        train_pass(model, model.encode(make_notes(120)), self.plan())
        return model

    def plan(self, **changes):
        return {
            "seed": 1,
            "site": "here",
            "round": 1,
            "rounds": 1,
            "training": {"batch_words": 32, "lr": self.lr, "epochs_per_round": self.epochs},
            **changes,
        }

    def test_it_learns_notes_it_has_not_seen_before(self, trained):
        notes = make_notes(40, seed=99)
        counts = count_spans([n.spans for n in notes], trained.predict(notes), LABELS)
        assert micro(counts).f1 > 0.9

    def test_predicted_spans_lie_in_the_note_in_order_and_do_not_overlap(self, model):
        notes = make_notes(20)
        for note, spans in zip(notes, model.predict(notes), strict=True):  # untrained: predicts anything
            Note(note.id, note.text, note.language, spans).check()
            assert {s.label for s in spans} <= set(LABELS)

    def test_a_note_is_scored_the_same_alone_and_among_others(self, trained):
        notes = make_notes(9, seed=3)
        together = trained.scores(trained.encode(notes))
        for note, scores in zip(notes, together, strict=True):
            alone = trained.scores(trained.encode([note]))[0]
            assert torch.allclose(scores, alone, atol=1e-4)

    def test_notes_without_words_have_no_spans(self, model):
        empty = [Note("a", "", "nb"), Note("b", " \n ", "nb"), *make_notes(2)]
        assert model.predict(empty)[:2] == [(), ()]
        assert model.predict([]) == []

    def test_parameters_are_sorted_float32_and_copies(self, model):
        parameters = model.parameters()
        assert list(parameters) == sorted(parameters)
        assert {array.dtype for array in parameters.values()} == {np.dtype(np.float32)}
        name = next(iter(parameters))
        parameters[name] += 1
        assert not np.array_equal(parameters[name], model.parameters()[name])

    def test_loading_parameters_brings_the_same_predictions(self, trained, model):
        notes = make_notes(20, seed=4)
        model.load_parameters(trained.parameters())
        assert model.predict(notes) == trained.predict(notes)

    def test_weights_of_another_model_are_refused_and_nothing_is_loaded(self, model):
        before = model.parameters()
        missing = dict(list(before.items())[1:])
        first = next(iter(before))
        reshaped = {**before, first: np.zeros((*before[first].shape, 2), np.float32)}
        for bad in (missing, {**before, "more": np.zeros(1, np.float32)}, reshaped):
            with pytest.raises(TrainingError):
                model.load_parameters(bad)
        assert all(np.array_equal(before[k], v) for k, v in model.parameters().items())

    def test_the_saved_folder_is_hugging_face_layout_and_loads_to_the_same_model(self, trained, tmp_path):
        folder = tmp_path / "model"
        trained.save_pretrained(folder)
        config = json.loads((folder / "config.json").read_text())
        assert config["label2id"] == {"O": 0, "B-BODY_SITE": 1, "I-BODY_SITE": 2, "B-DRUG": 3, "I-DRUG": 4}
        assert (folder / "model.safetensors").is_file()
        again = load(folder)
        notes = make_notes(20, seed=5)
        assert again.labels == LABELS
        assert again.predict(notes) == trained.predict(notes)

    def test_training_twice_gives_the_same_bits_and_another_seed_gives_others(self, model_settings):
        def run(seed):
            torch.manual_seed(5)
            model = build(model_settings, LABELS)
            train_pass(model, model.encode(make_notes(30)), self.plan(seed=seed, training={"epochs_per_round": 1}))
            return model.parameters()

        first, again, other = run(1), run(1), run(2)
        assert all(np.array_equal(first[k], again[k]) for k in first)
        assert any(not np.array_equal(first[k], other[k]) for k in first)

    def test_labels_that_were_not_asked_for_are_not_learnt(self, model):
        note = Note("a", "Marevan her", "nb", (Span(0, 7, "MANUFACTURER"),))
        plain = Note("a", "Marevan her", "nb")
        model.module.eval()
        assert float(model.loss(model.encode([note]))) == float(model.loss(model.encode([plain])))
