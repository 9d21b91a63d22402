"""Scores: F1 from counts is seqeval's, through `evaluate`, and counts of sites add up."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fedkit.ner.metrics import Counts, count_spans, from_numbers, label_macro, micro, site_macro, to_numbers
from fedkit.ner.seqeval_metric import SeqevalMetric, seqeval_scores
from fedkit.notes.note import Note, Span

LABELS = ("DRUG", "IMPLANT", "REACTION")
TEXT = "a" * 30


@st.composite
def span_sets(draw):
    cuts = sorted(draw(st.lists(st.integers(0, 30), unique=True, max_size=10)))
    pairs = list(itertools.pairwise(cuts))
    return tuple(Span(a, b, draw(st.sampled_from(LABELS))) for a, b in pairs if draw(st.booleans()))


@settings(deadline=None, max_examples=40)
@given(st.lists(st.tuples(span_sets(), span_sets()), min_size=1, max_size=5))
def test_f1_from_counts_is_seqevals(pairs):
    notes = [Note(str(i), TEXT, "nb", gold) for i, (gold, _) in enumerate(pairs)]
    predicted = [found for _, found in pairs]
    counts = count_spans([n.spans for n in notes], predicted, LABELS)
    scores = seqeval_scores(notes, predicted, LABELS)
    assert micro(counts).f1 == pytest.approx(scores["overall_f1"])
    assert micro(counts).precision == pytest.approx(scores["overall_precision"])
    assert micro(counts).recall == pytest.approx(scores["overall_recall"])
    for label in LABELS:
        if label in scores:
            assert counts[label].f1 == pytest.approx(scores[label]["f1"])
            assert counts[label].tp + counts[label].fn == scores[label]["number"]


@settings(deadline=None)
@given(st.lists(st.tuples(span_sets(), span_sets()), min_size=2, max_size=6))
def test_counts_of_parts_add_up_to_the_counts_of_the_whole(pairs):
    gold, found = zip(*pairs, strict=True)
    whole = count_spans(gold, found, LABELS)
    first, rest = count_spans(gold[:1], found[:1], LABELS), count_spans(gold[1:], found[1:], LABELS)
    assert whole == {label: first[label] + rest[label] for label in LABELS}


def test_counts_cross_as_numbers_and_come_back():
    counts = {"DRUG": Counts(3, 1, 2), "IMPLANT": Counts()}
    assert from_numbers(to_numbers(counts, "test"), ("DRUG", "IMPLANT"), "test") == counts


def test_macro_over_sites_counts_a_small_site_as_much_as_a_large_one():
    sites = {"large": {"DRUG": Counts(900, 100, 100)}, "small": {"DRUG": Counts(1, 1, 1)}}
    assert site_macro(sites) == pytest.approx((0.9 + 0.5) / 2)


def test_a_label_that_nobody_has_does_not_lower_the_macro():
    assert label_macro({"DRUG": Counts(1, 0, 0), "IMPLANT": Counts()}) == 1.0
    assert label_macro({"IMPLANT": Counts()}) == 0.0


def test_a_label_right_but_a_border_wrong_is_one_wrong_and_one_missed():
    counts = count_spans([(Span(0, 5, "DRUG"),)], [(Span(0, 6, "DRUG"),)], LABELS)
    assert counts["DRUG"] == Counts(0, 1, 1)


def test_the_metric_has_the_interface_of_evaluates_own():
    tags = [["B-PER", "I-PER", "O", "B-LOC"]]
    scores = SeqevalMetric().compute(predictions=[["B-PER", "I-PER", "O", "O"]], references=tags)
    assert scores["overall_recall"] == 0.5
    assert scores["PER"] == {"precision": 1.0, "recall": 1.0, "f1": 1.0, "number": 1}
    assert set(scores) == {"PER", "LOC", "overall_precision", "overall_recall", "overall_f1", "overall_accuracy"}
    loose = SeqevalMetric().compute(predictions=[["I-PER", "I-PER", "O", "O"]], references=tags, scheme=None, mode=None)
    assert loose["PER"]["f1"] == 1.0
