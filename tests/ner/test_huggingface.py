"""Any Hugging Face checkpoint: the tagger contract on a tiny BERT made here, and long notes, foreign label maps, refusals."""

from __future__ import annotations

import json
import shutil

import pytest
import torch
from ner.conftest import LABELS, make_notes
from ner.tagger_suite import TaggerSuite

from fedkit.errors import TrainingError
from fedkit.ner.models import build, load
from fedkit.notes.note import Note, Span


class TestHuggingFace(TaggerSuite):
    epochs, lr = 12, 3e-3

    @pytest.fixture(scope="class")
    def model_settings(self, tiny_bert):
        return {"kind": "huggingface", "name": str(tiny_bert)}

    def test_every_word_of_a_note_longer_than_the_window_is_scored_from_one_place(self, model):
        words = ["ord" + "a" * (i % 7) for i in range(100)]
        (item,) = model.encode([Note("long", " ".join(words), "nb")])
        assert len(item.windows) > 3
        places = set(zip(item.window_of.tolist(), item.place_of.tolist(), strict=True))
        assert len(places) == 100
        assert int(item.place_of.min()) >= 1

    def test_a_long_note_finds_the_entity_in_its_last_window(self, trained):
        filler = "Uten anmerkning . " * 30
        note = Note("long", filler + "Pasienten fikk Marevan i går .", "nb")
        assert Span(len(filler) + 15, len(filler) + 22, "DRUG") in trained.predict([note])[0]

    def test_words_that_the_tokenizer_drops_are_outside(self, model):
        notes = [Note("a", "a \u200b b", "nb", tokens=("a", "\u200b", "b"))]
        (scores,) = model.scores(model.encode(notes))
        assert scores.shape == (3, 5)


def test_a_checkpoint_with_the_same_labels_in_another_order_keeps_its_head(tiny_bert, tmp_path):
    folder = tmp_path / "model"
    model = build({"kind": "huggingface", "name": str(tiny_bert)}, LABELS)
    model.save_pretrained(folder)
    config = json.loads((folder / "config.json").read_text())
    turned = ["I-DRUG", "B-DRUG", "O", "I-BODY_SITE", "B-BODY_SITE"]
    config["id2label"] = {str(i): n for i, n in enumerate(turned)}
    config["label2id"] = {n: i for i, n in enumerate(turned)}
    (folder / "config.json").write_text(json.dumps(config))
    own, given = load(folder), build({"kind": "huggingface", "name": str(folder)}, LABELS)
    notes = make_notes(3)
    mine = given.scores(given.encode(notes))[0]
    ours = {"O": 0, "B-BODY_SITE": 1, "I-BODY_SITE": 2, "B-DRUG": 3, "I-DRUG": 4}
    original = model.scores(model.encode(notes))[0]
    same = [list(ours).index(name) for name in turned]
    assert torch.allclose(mine[:, [ours[n] for n in turned]], original[:, list(range(5))], atol=1e-5), same
    assert set(own.labels) == set(LABELS)


def test_a_missing_checkpoint_is_named_and_nothing_is_asked_of_a_hub(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(TrainingError, match="cannot open the checkpoint") as caught:
        build({"kind": "huggingface", "name": str(tmp_path / "empty")}, LABELS)
    assert "folder" in caught.value.help


def test_a_checkpoint_without_entity_classes_is_no_trained_tagger(tiny_bert, tmp_path):
    folder = shutil.copytree(tiny_bert, tmp_path / "plain")
    with pytest.raises(TrainingError, match="not a trained tagger"):
        load(folder)
