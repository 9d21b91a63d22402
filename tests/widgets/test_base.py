from __future__ import annotations

import re
import threading
from html.parser import HTMLParser

import ipywidgets
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from widget_samples import CANARY, EVIL, everything_sent, our_failure, private_failure, table_rows

from fedkit.errors import FedkitError
from fedkit.governance.review import Finding
from fedkit.widgets.base import FedkitWidget, Html, Table, escape, facts_html, table_html
from fedkit.widgets.code import diff_html, findings_html, source_html, text_html
from fedkit.widgets.theme import OKABE_ITO, STYLE


class Tags(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.names: list[str] = []
        self.attributes: set[str] = set()
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.append(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data: str) -> None:
        self.text += data


class Counter(FedkitWidget):
    """The smallest widget: a number."""

    def __init__(self) -> None:
        super().__init__()
        self.number = ipywidgets.HTML("0")
        self.refreshed = 0
        self._fill(self.number)

    def _refresh(self) -> None:
        self.refreshed += 1

    def static_html(self) -> str:
        return f"<p>{self.number.value}</p>"

    def static_text(self) -> str:
        return f"counter at {self.number.value}\nsecond line"


@settings(deadline=None)
@given(st.text())
def test_no_text_becomes_markup(text: str) -> None:
    for html in (
        table_html([(text, text)], ("a", text), caption=text),
        table_html([], ("a",), empty=text),
        facts_html([(text, text)]),
        source_html(text, [Finding(text, 1, text, text)], text, text),
        findings_html([Finding(text, 1, text, text)], text, text),
        text_html(text, text),
        diff_html("+" + text),
    ):
        tags = Tags(html)
        assert set(tags.names) <= {"table", "caption", "thead", "tbody", "tr", "th", "td", "div", "a", "b", "code", "pre"}
        assert tags.attributes <= {"scope", "class", "colspan", "style", "tabindex", "href", "id", "role", "aria-label"}


def test_escape_keeps_what_a_reader_sees() -> None:
    assert Tags(escape(EVIL)).text == EVIL


def test_a_table_names_its_columns_for_screen_readers() -> None:
    html = table_html([("oslo", 1)], ("Site", "Notes"), numeric=(1,))
    assert html.count('<th scope="col"') == 2
    assert table_rows(html) == [["Site", "Notes"], ["oslo", "1"]]
    assert html.count('class="n"') == 2, "the number and its head stand right"


def test_an_empty_table_says_so() -> None:
    assert table_rows(table_html([], ("a", "b")))[1:] == [["nothing yet"]]


def test_a_table_is_html_in_a_notebook_and_aligned_text_elsewhere() -> None:
    table = Table([("oslo", 12), ("tartu", 7)], ("Site", "Notes"), caption="Notes of each site", numeric=(1,))
    assert table._repr_html_().startswith("<table><caption>Notes of each site</caption>")
    assert repr(table).splitlines() == ["Notes of each site", "Site   Notes", "oslo      12", "tartu      7"]
    assert repr(Table([], ("Site",))) == "Site"


def test_source_lines_are_numbered_from_one_and_each_finding_stands_below_its_line() -> None:
    html = source_html("first\nsecond\nthird\n", [Finding("warn", 2, "print", "prints")])
    assert table_rows(html) == [["1", "first"], ["2", "second"], ["", "look closely: prints"], ["3", "third"]]
    assert html.count("fk-mark") == 1


def test_a_finding_shows_its_line_and_leads_there() -> None:
    found = [Finding("note", 1, "data", "reads"), Finding("refuse", 2, "import", "no"), Finding("warn", 9, "loop", "gone")]
    html = findings_html(found, "first\n  second\n", "here")
    assert table_rows(html)[1:] == [
        ["must be refused", "2", "import", "no", "second"],
        ["look closely", "9", "loop", "gone", ""],
        ["for your information", "1", "data", "reads", "first"],
    ]
    places = source_html("first\n  second\n", found, "here")
    assert all(f'id="{link}"' in places for link in re.findall(r'href="#([^"]+)"', html))
    assert html.count("href") == 2, "a line that is not there has no link"


def test_a_long_line_is_cut_where_it_is_quoted_and_whole_in_the_source() -> None:
    line = "x = " + "1 + " * 100 + "1"
    found = [Finding("note", 1, "data", "reads")]
    assert line not in findings_html(found, line)
    assert line in source_html(line, found)


def test_only_what_was_made_here_is_markup_in_a_table() -> None:
    html = table_html([(Html("<b>made</b>"), "<b>given</b>")], ("a", "b"))
    assert "<b>made</b>" in html
    assert "<b>given</b>" not in html


def test_a_diff_tints_changes_but_not_its_head() -> None:
    html = diff_html("--- a\n+++ b\n-old\n+new\n same")
    assert html.count("fk-add") == html.count("fk-del") == 1


def test_a_widget_brings_live_view_html_and_text() -> None:
    bundle = Counter()._repr_mimebundle_()
    assert bundle["text/html"] == "<p>0</p>"
    assert bundle["text/plain"] == "counter at 0\nsecond line"
    assert "application/vnd.jupyter.widget-view+json" in bundle


def test_repr_is_stable_and_has_no_address() -> None:
    assert repr(Counter()) == repr(Counter()) == "Counter: counter at 0"


def test_a_method_raises_and_shows_our_error() -> None:
    widget = Counter()
    with pytest.raises(FedkitError, match="did not answer"):
        widget._attempt(lambda: (_ for _ in ()).throw(our_failure()), again=True)
    assert escape(our_failure().diagnostics()) in widget._message.value
    assert "<img" not in widget._message.value
    assert 'role="alert"' in widget._message.value


def test_the_words_of_a_foreign_exception_are_shown_nowhere() -> None:
    widget = Counter()
    with pytest.raises(FedkitError) as caught:
        widget._attempt(lambda: (_ for _ in ()).throw(private_failure()), again=True)
    assert "ValueError" in caught.value.diagnostics()
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__
    assert CANARY not in everything_sent(widget) + caught.value.diagnostics()
    assert "Traceback" not in everything_sent(widget)


def test_the_next_attempt_clears_the_last_error() -> None:
    widget = Counter()
    widget._attempt(lambda: (_ for _ in ()).throw(our_failure()), again=False)
    assert widget.error is not None
    assert widget._attempt(lambda: 7, again=False) == 7
    assert widget.error is None
    assert widget._message.value == ""


def test_background_work_leaves_the_caller_free_and_runs_one_at_a_time() -> None:
    widget, go, ran = Counter(), threading.Event(), []
    widget._in_background(lambda: (go.wait(10), ran.append(threading.current_thread().name)))
    widget._in_background(lambda: ran.append("second"))
    assert widget.busy
    assert ran == []
    assert not widget.wait(0.01)
    go.set()
    assert widget.wait(10)
    assert ran == ["fedkit-Counter"]
    assert not widget.busy


def test_an_error_in_the_background_stands_in_the_widget() -> None:
    widget = Counter()
    widget._in_background(lambda: (_ for _ in ()).throw(our_failure()))
    widget.wait(10)
    assert isinstance(widget.error, FedkitError)
    assert "did not answer" in widget._message.value


def test_the_theme_follows_jupyterlab_in_light_and_dark() -> None:
    assert "var(--jp-content-font-color1, " in STYLE
    assert '[data-jp-theme-light="false"]' in STYLE
    assert len(set(OKABE_ITO)) == len(OKABE_ITO) >= 5


@pytest.mark.parametrize(("ink", "paper"), [("#00684d", "#ffffff"), ("#b3360b", "#ffffff"), ("#005a8f", "#ffffff"),
                                            ("#3fc79a", "#111111"), ("#ff9068", "#111111"), ("#6db8ec", "#111111"),
                                            ("#ffffff", "#a63c06"), ("#ffffff", "#005a8f")])  # fmt: skip
def test_words_in_colour_can_be_read(ink: str, paper: str) -> None:
    """Contrast of at least 4.5 to 1, WCAG 2.2 success criterion 1.4.3."""

    def luminance(colour: str) -> float:
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    assert ink in STYLE or ink == "#ffffff"
    light, dark = sorted((luminance(ink), luminance(paper)), reverse=True)
    assert (light + 0.05) / (dark + 0.05) >= 4.5
