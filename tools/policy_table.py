"""Writes the table of presets in docs/policies.md from the code.

python tools/policy_table.py            # after a preset or a reason has changed; a test compares
"""

from __future__ import annotations

from pathlib import Path

from fedkit.governance.policies import PRESETS
from fedkit.governance.policies.explaining import in_words

PAGE = Path(__file__).resolve().parent.parent / "docs" / "policies.md"
BEGIN, END = "<!-- presets: written by tools/policy_table.py -->", "<!-- end of presets -->"


def table() -> str:
    """A table of the settings of each preset, and one list of reasons for each."""
    names = list(PRESETS)
    values = {name: preset.settings.to_json() for name, preset in PRESETS.items()}
    lines = [f"| setting | {' | '.join(names)} |", f"|---|{'---|' * len(names)}"]
    for setting in PRESETS[names[0]].reasons:
        lines.append(f"| `{setting}` | {' | '.join(in_words(values[name][setting]) for name in names)} |")
    for name, preset in PRESETS.items():
        lines += ["", f"**{name}**: {preset.what}.", ""]
        lines += [f"- `{setting}` {in_words(values[name][setting])}: {why}" for setting, why in preset.reasons.items()]
    return "\n".join(lines)


def with_table(page: str) -> str:
    """The page with the table of today. Raises ValueError if the page has no place for it."""
    before, found, rest = page.partition(BEGIN)
    _, closed, after = rest.partition(END)
    if not found or not closed:
        raise ValueError(f"no place for the table: {BEGIN} … {END}")
    return f"{before}{BEGIN}\n{table()}\n{END}{after}"


if __name__ == "__main__":
    PAGE.write_text(with_table(PAGE.read_text("utf-8")), "utf-8")
