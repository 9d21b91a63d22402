"""The fields of a template's parameters: one for each type, its bounds, and what cannot be read."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from widget_samples import EVIL, live_html

from fedkit.errors import RequestError
from fedkit.templates import TEMPLATES, Parameter
from fedkit.templates.parameters import TYPES
from fedkit.widgets.parameter_fields import ParameterFields, words_of

#: For each type a parameter, a value that fits, and one that does not (as it comes out of the field).
OF_TYPE: dict[str, tuple[Parameter, Any, Any]] = {
    "flag": (Parameter("p", "flag", "f", False), True, None),
    "whole": (Parameter("p", "whole", "w", 3, low=1, high=9), 9, 10),
    "number": (Parameter("p", "number", "n", 0, low=0, high=4), 0.25, 4.5),
    "choice": (Parameter("p", "choice", "c", "a", ("a", "b")), "b", None),
    "choices": (Parameter("p", "choices", "c", [], high=2), ["x", "y"], "x, y, z"),
    "words": (Parameter("p", "words", "w", []), ["MR*", "knee joint"], "a*b*c"),
    "date": (Parameter("p", "date", "d", ""), "2026-01-31", None),
    "data": (Parameter("p", "data", "d", {}), {"year": ["2024"]}, "{"),
}


def test_every_type_that_a_template_may_use_has_a_field() -> None:
    assert set(OF_TYPE) == set(TYPES)


@pytest.mark.parametrize("kind", OF_TYPE)
def test_a_value_goes_in_and_comes_out_and_one_that_does_not_fit_says_why(kind: str) -> None:
    parameter, good, bad = OF_TYPE[kind]
    fields = ParameterFields([parameter])
    assert (fields.values, fields.problems) == ({}, {}), "what is left alone keeps the template's default"
    fields.set({"p": good})
    assert fields.values == {"p": good}
    assert parameter.check(fields.values["p"]) == good
    if bad is not None:
        fields.fields["p"].value = bad
        assert list(fields.problems) == ["p"]
        assert fields.problems["p"] in live_html(fields).replace("&#x27;", "'").replace("&quot;", '"')
        assert fields.values == {}


@pytest.mark.parametrize("name", TEMPLATES)
def test_the_fields_of_each_template_name_and_explain_every_parameter(name: str) -> None:
    parameters = TEMPLATES[name].parameters
    fields = ParameterFields(parameters, known={"labels": ["DRUG", "IMPLANT"]})
    assert {n: field.description for n, field in fields.fields.items()} == {p.name: words_of(p.name) for p in parameters}
    missing = {p.name for p in parameters if p.default is None}
    assert set(fields.problems) == missing, "only what has no default is asked for"


def test_what_must_be_given_is_missed_until_it_is() -> None:
    fields = ParameterFields(TEMPLATES["table"].parameters)
    assert "language" in fields.problems["by"]
    fields.set({"by": ["language", "label"]})
    assert fields.problems == {}


def test_labels_that_the_sites_know_are_chosen_and_others_cannot_be() -> None:
    fields = ParameterFields(TEMPLATES["count"].parameters, known={"labels": ["DRUG", "IMPLANT"]})
    fields.set({"labels": ["IMPLANT"]})
    assert fields.values == {"labels": ["IMPLANT"]}
    with pytest.raises(RequestError) as caught:
        fields.set({"labels": [EVIL]})
    assert EVIL not in caught.value.diagnostics()


def test_a_parameter_of_another_template_is_named() -> None:
    with pytest.raises(RequestError, match="no such parameter"):
        ParameterFields(TEMPLATES["count"].parameters).set({"rounds": 3})


@settings(deadline=None, max_examples=50)
@given(st.text(max_size=40))
def test_whatever_is_typed_is_escaped_and_never_fails(text: str) -> None:
    fields = ParameterFields([OF_TYPE["data"][0], Parameter("q", "words", EVIL, [])])
    fields.fields["p"].value = text
    fields.fields["q"].value = text
    assert "<img" not in live_html(fields)
    assert set(fields.values) | set(fields.problems) <= {"p", "q"}
