"""A verification as one HTML page that loads nothing and runs nothing: verdict, checks, and the request's way as a picture.

Everything in a bundle comes from strangers, so every word of it is escaped.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from fedkit.audit.evidence import Evidence
from fedkit.audit.report import Report
from fedkit.audit.timeline import STEPS, Moment, lanes

#: Pixels between two moments, between two lanes, and of the names of the lanes.
ACROSS, DOWN, NAMES = 18, 34, 110

#: Moments that are shown; a study of months has more than a page can hold.
MOST = 1000


def page(report: Report, evidence: Evidence | None = None, moments: Sequence[Moment] = ()) -> str:
    """The page of a report. evidence: for the words of the request; moments: of `timeline.tell`, for the picture."""
    title = f"Audit of {report.bundle}"
    parts = [f"<h1>{escape(title)}</h1>", report.to_html()]
    if evidence is not None:
        parts.append(_request(evidence))
    if moments:
        shown, left = moments[:MOST], len(moments) - MOST
        parts += ["<h2>The way of the request</h2>", picture(shown), _table(shown)]
        parts += (
            [f"<p>{left} later ones are not shown: <code>fedkit.audit.timeline.tell</code> has them all.</p>"]
            if left > 0
            else []
        )
    head = f'<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{escape(title)}</title>'
    return f'<!doctype html>\n<html lang="en"><head>{head}<style>{_STYLE}</style></head><body>{"".join(parts)}</body></html>\n'


def picture(moments: Sequence[Moment]) -> str:
    """The moments as an SVG: a line for each who took part, from left to right in order (not to scale). A square stands on the
    ledger, a circle in a journal; the number above is that of the step, where it changes."""
    who = lanes(tuple(moments))
    width, height = NAMES + ACROSS * (len(moments) + 1), DOWN * (len(who) + 1)
    says = (
        f"{len(moments)} moments of {len(who)} who took part, from {moments[0].what} to {moments[-1].what}" if moments else ""
    )
    drawn = [
        f'<svg role="img" aria-label="{escape(says)}" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="13">'
    ]
    for at, name in enumerate(who):
        y = DOWN * (at + 1)
        drawn.append(f'<text x="0" y="{y + 4}" fill="#222">{escape(name[:14])}</text>')
        drawn.append(f'<line x1="{NAMES}" y1="{y}" x2="{width}" y2="{y}" stroke="#ccc"/>')
    step = -1
    for at, moment in enumerate(moments):
        x, y = NAMES + ACROSS * (at + 1) - ACROSS // 2, DOWN * (who.index(moment.lane) + 1)
        if moment.step != step:
            step = moment.step
            drawn.append(f'<text x="{x}" y="14" text-anchor="middle" fill="#555">{step}</text>')
        label = f"<title>{escape(f'{moment.step} {STEPS[moment.step]}: {moment.lane} {moment.what} ({moment.where})')}</title>"
        if moment.ledger:
            drawn.append(f'<rect x="{x - 6}" y="{y - 6}" width="12" height="12" fill="#1f5fa8">{label}</rect>')
        else:
            drawn.append(f'<circle cx="{x}" cy="{y}" r="5" fill="#fff" stroke="#1f5fa8" stroke-width="2">{label}</circle>')
    return f'<div style="overflow-x:auto">{"".join([*drawn, "</svg>"])}</div>'


def _request(evidence: Evidence) -> str:
    request = evidence.request
    rows: Mapping[str, str] = {
        "Title": request.title,
        "Purpose": request.purpose,
        "Researcher": request.researcher,
        "Data permit": f"{request.permit.id}, until {request.permit.expires}",
        "Data": request.dataset,
        "Digest": request.digest,
        "Code": request.code_digest,
        "Environment": request.environment,
    }
    body = "".join(f'<tr><th scope="row">{escape(name)}</th><td>{escape(str(text))}</td></tr>' for name, text in rows.items())
    return f'<h2>The request</h2><table class="facts"><tbody>{body}</tbody></table>'


def _table(moments: Sequence[Moment]) -> str:
    legend = ", ".join(f"{number} {name}" for number, name in STEPS.items())
    head = "".join(f'<th scope="col">{name}</th>' for name in ("Step", "Who", "What", "Where"))
    rows = "".join(
        f"<tr><td>{m.step}</td><td>{escape(m.lane)}</td><td>{escape(m.what)}</td><td>{escape(m.where)}</td></tr>"
        for m in moments
    )
    return (
        f"<p><small>■ on the ledger, ○ in a journal; in order, not to scale. Steps: {legend}.</small></p>"
        f"<details><summary>The same as a table, {len(moments)} rows</summary>"
        f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></details>"
    )


_STYLE = (
    ":root{color-scheme:light}body{font:16px/1.5 system-ui,sans-serif;color:#222;background:#fff;max-width:72rem;"
    "margin:2rem auto;padding:0 1rem}h2{margin-top:2.5rem}table{border-collapse:collapse;width:100%}"
    "td,th{padding:.4rem .8rem;border-bottom:1px solid #ccc;text-align:left;vertical-align:top;overflow-wrap:anywhere}"
    "td:first-child{white-space:nowrap}th{font-weight:600}.facts th{width:9rem}small{color:#555}code{overflow-wrap:anywhere}"
    ".verdict{padding:.8rem 1rem;border-left:.4rem solid #17692f;background:#eef7f0}"
    ".verdict.bad{border-color:#a11;background:#fbeeee}.good strong{color:#17692f}.bad strong{color:#a11}"
    "svg{display:block}details{margin:1rem 0}"
)
