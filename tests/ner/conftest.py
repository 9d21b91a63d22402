"""Made-up notes that teach quickly: a drug or a body site, each after its own words."""

from __future__ import annotations

import random

import pytest

from fedkit.ner.comparison import Notes
from fedkit.notes.note import Note, Span

LABELS = ("BODY_SITE", "DRUG")
FORMS = {
    "DRUG": ("Marevan", "Waran", "Panodil", "Burana 400"),
    "BODY_SITE": ("venstre hofte", "höger knä", "parem põlv", "olka"),
}
FRAMES = (
    "Pasienten fikk {DRUG} i går .",
    "Smerter i {BODY_SITE} etter {DRUG} .",
    "Uten anmerkning .",
    "Röntgen av {BODY_SITE} .",
)


def make_note(number: int, rng: random.Random) -> Note:
    text, spans = "", []
    for piece in rng.choice(FRAMES).split(" "):
        text += " " if text else ""
        if piece.startswith("{"):
            label = piece.strip("{}")
            form = rng.choice(FORMS[label])
            spans.append(Span(len(text), len(text) + len(form), label))
            text += form
        else:
            text += piece
    return Note(f"n{number}", text, "nb", tuple(spans))


def make_notes(count: int, seed: int = 0) -> list[Note]:
    rng = random.Random(seed)
    return [make_note(i, rng) for i in range(count)]


@pytest.fixture(scope="session", autouse=True)
def one_thread():
    import torch

    torch.set_num_threads(1)


@pytest.fixture
def site_notes() -> Notes:
    return Notes(train=make_notes(60), dev=make_notes(12, 1), test=make_notes(12, 2))


@pytest.fixture
def settings() -> dict:
    return {
        "labels": list(LABELS),
        "seed": 7,
        "rounds": 3,
        "sequential_rounds": 1,
        "model": {"kind": "hash-cnn", "d": 16, "rows": 256, "ngrams": 256, "layers": 2},
        "training": {"batch_words": 24, "lr": 1e-2, "epochs_per_round": 1.0},
        "strategy": {"kind": "fedavg"},
    }


@pytest.fixture(scope="session")
def tiny_bert(tmp_path_factory):
    """A folder with a BERT of two layers and a WordPiece tokenizer over single letters, made here: no hub."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    letters = [chr(c) for c in range(33, 127)] + list("åäöæøõüšž")
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *letters, *("##" + c for c in letters), "##an", "##il", "##te"]
    vocabulary = {piece: i for i, piece in enumerate(pieces)}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", vocabulary["[CLS]"]), ("[SEP]", vocabulary["[SEP]"])]
    )
    folder = tmp_path_factory.mktemp("tiny-bert")
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        unk_token="[UNK]",
        pad_token="[PAD]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        mask_token="[MASK]",
    )
    fast.save_pretrained(folder)
    import torch

    torch.manual_seed(3)
    config = BertConfig(
        vocab_size=len(pieces),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=64,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
    )
    BertModel(config).save_pretrained(folder)
    return folder
