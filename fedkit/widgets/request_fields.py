"""The controls of the request form, a field each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import ipywidgets

from fedkit.governance.request import PURPOSES
from fedkit.templates import TEMPLATES
from fedkit.widgets.words import PURPOSE_WORDS

_STYLE = {"description_width": "190px"}


def controls(templates: Sequence[str], datasets: Sequence[str], models: Sequence[str]) -> dict[str, ipywidgets.Widget]:
    """A control for each field, in the order of the form."""
    wide: dict[str, Any] = {"layout": ipywidgets.Layout(width="100%", max_width="680px"), "style": _STYLE}
    short: dict[str, Any] = {"layout": ipywidgets.Layout(width="300px"), "style": _STYLE}
    return {
        "template": ipywidgets.Dropdown(options=[(TEMPLATES[name].title, name) for name in templates], **wide),
        "title": ipywidgets.Text(**wide),
        "purpose": ipywidgets.Textarea(rows=2, **wide),
        "category": ipywidgets.Dropdown(options=[(PURPOSE_WORDS[name], name) for name in PURPOSES], **wide),
        "permit_id": ipywidgets.Text(**wide),
        "permit_purpose": ipywidgets.Text(**wide),
        "permit_expires": ipywidgets.DatePicker(layout=ipywidgets.Layout(width="360px"), style=_STYLE),
        "permit_users": ipywidgets.Text(placeholder="addresses with commas between; empty: as it was issued", **wide),
        "dataset": ipywidgets.Dropdown(options=list(datasets), **wide),
        "rounds": ipywidgets.IntText(continuous_update=True, **short),
        "sequential_rounds": ipywidgets.IntText(continuous_update=True, **short),
        "model": ipywidgets.Dropdown(options=list(models), **wide),
        "source": ipywidgets.Textarea(rows=12, **wide).add_class("fk-source"),
    }
