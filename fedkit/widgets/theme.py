"""One small theme for every widget: JupyterLab's own colours in light and dark, and a palette that colour-blind people can tell
apart.

Outside JupyterLab (Voilà, a plain page) the `--jp-*` variables are missing and the values after the comma hold.
"""

from __future__ import annotations

#: Okabe and Ito, "Color Universal Design" (2008), without yellow, which nobody can read on white, and black, which is the text.
OKABE_ITO = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")

#: Line styles and markers beside the colours, so that a curve can be told apart without them.
DASHES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1)), (0, (3, 3)))
MARKERS = ("o", "s", "^", "D", "v", "P")

STYLE = """<style>
.fk { --fk-ink: var(--jp-content-font-color1, #1b2330); --fk-soft: var(--jp-content-font-color2, #5b6675);
  --fk-line: var(--jp-border-color2, #d0d7de); --fk-wash: var(--jp-layout-color2, #f4f6f9);
  --fk-good: #00684d; --fk-bad: #b3360b; --fk-warn: #8a5a00; --fk-blue: #005a8f;
  border: 1px solid var(--fk-line); border-radius: 6px; padding: 12px 16px; max-width: 1000px; overflow: visible;
  container-type: inline-size; }
[data-jp-theme-light="false"] .fk { --fk-good: #3fc79a; --fk-bad: #ff9068; --fk-warn: #f0b840; --fk-blue: #6db8ec; }
.fk .widget-html, .fk .widget-html-content { overflow: visible; height: auto; line-height: 1.45;
  min-width: 0; max-width: 100%; }
.fk .widget-html-content { flex: 1 1 auto; color: var(--fk-ink); font-size: var(--jp-content-font-size1, 14px); }
.fk h3 { margin: 0 0 4px; font-size: 1.15em; font-weight: 600; }
.fk h4 { margin: 14px 0 4px; font-size: 1em; font-weight: 600; }
.fk p { margin: 2px 0; }
.fk .fk-soft { color: var(--fk-soft); }
.fk .fk-good { color: var(--fk-good); font-weight: 600; }
.fk .fk-bad { color: var(--fk-bad); font-weight: 600; }
.fk .fk-warn { color: var(--fk-warn); font-weight: 600; }
.fk table { border-collapse: collapse; margin: 4px 0; width: auto; color: var(--fk-ink); font-size: inherit; }
.fk caption { text-align: left; color: var(--fk-soft); padding: 2px 0; caption-side: top; }
.fk th, .fk td { text-align: left; vertical-align: top; padding: 3px 14px 3px 0; border-bottom: 1px solid var(--fk-line);
  white-space: normal; max-width: 34em; }
.fk th { font-weight: 600; }
.fk thead th, .fk td.n { white-space: nowrap; }
.fk td { overflow-wrap: break-word; min-width: 2em; }
.fk td.n, .fk th.n { text-align: right; font-variant-numeric: tabular-nums; }
.fk details { margin: 8px 0; }
.fk a { color: var(--fk-blue); text-decoration: underline; }
.fk summary { cursor: pointer; color: var(--fk-blue); }
.fk .fk-scroll { max-height: 360px; overflow: auto; border: 1px solid var(--fk-line); border-radius: 4px; }
.fk table.fk-code { font-family: var(--jp-code-font-family, monospace); font-size: 12px; line-height: 1.4; margin: 0;
  width: 100%; }
.fk table.fk-code th, .fk table.fk-code td { border: 0; padding: 0 10px; white-space: pre; max-width: none; }
.fk table.fk-code th { color: var(--fk-soft); font-weight: 400; text-align: right; user-select: none; }
.fk .fk-add { background: rgba(0, 158, 115, .16); }
.fk .fk-del { background: rgba(213, 94, 0, .16); }
.fk .fk-mark { background: rgba(230, 159, 0, .22); }
.fk .fk-box { border-left: 4px solid var(--fk-blue); background: var(--fk-wash); padding: 6px 12px; margin: 6px 0;
  white-space: pre-wrap; overflow-wrap: anywhere; }
.fk .fk-box.fk-error { border-color: var(--fk-bad); }
.fk .fk-box.fk-done { border-color: var(--fk-good); }
.fk .widget-label { color: var(--fk-ink); white-space: normal; }
.fk textarea { font-family: inherit; }
.fk .fk-field { margin: 1px 0; }
.fk .fk-hint .widget-html-content { margin-left: 196px; font-size: .93em; }
.fk .jupyter-button { height: auto; min-height: 32px; width: auto; padding: 0 16px; line-height: 1.3; border-radius: 4px; }
.fk .jupyter-button.fk-go { background: #005a8f; color: #fff; }
.fk .jupyter-button.fk-no { background: #a63c06; color: #fff; }
.fk .jupyter-button:disabled { opacity: .5; }
.fk .jupyter-button:focus-visible { outline: 3px solid var(--fk-blue); outline-offset: 1px; }
.fk .widget-accordion .fk { border: 0; padding: 0; }
.fk .fk-found td { white-space: normal; font-family: var(--jp-ui-font-family, sans-serif); }
.fk pre.fk-text { margin: 0; padding: 6px 10px; font-size: 12px; line-height: 1.4; }
.fk .fk-source textarea { font-family: var(--jp-code-font-family, monospace); font-size: 12px; line-height: 1.4; }
@container (max-width: 560px) {
  .fk .widget-inline-hbox { flex-direction: column; align-items: stretch; height: auto; width: auto !important; }
  .fk .widget-inline-hbox > .widget-label { width: auto !important; text-align: left; justify-content: flex-start; }
  .fk .widget-box { flex-wrap: wrap; }
  .fk .fk-hint .widget-html-content { margin-left: 0; }
  .fk .widget-html-content { overflow-x: auto; }
  .fk .widget-inline-hbox > :not(.widget-label) { flex: 0 0 auto; }
  .fk th, .fk td { padding-right: 8px; }
  .fk td { overflow-wrap: anywhere; }
}
.fk svg { max-width: 100%; height: auto; color: var(--fk-ink); }
</style>"""
