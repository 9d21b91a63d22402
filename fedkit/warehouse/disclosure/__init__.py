"""Disclosure control: rules with a name and a source, and what they let out of a site.

    from fedkit.warehouse.disclosure import PRESETS, protect, verdicts

    verdicts(question, PRESETS["acro"])                 # before anything runs: a Verdict for each rule
    protect(question, rows, PRESETS["acro"]).rows       # what may leave

What is where: presets (limits that others publish) · rule (what a rule is) · cells (an answer as cells) · on_cells and
on_questions (the rules) · protecting (their order) · combining (the check of what all sites gave together). Several questions
of one person against each other: `fedkit.warehouse.memory`. Noise and its price: `fedkit.warehouse.noise`.
"""

from fedkit.warehouse.disclosure.combining import combined
from fedkit.warehouse.disclosure.presets import PRESETS, STRICTEST, Preset
from fedkit.warehouse.disclosure.protecting import RULES, Protected, check, protect, verdicts
from fedkit.warehouse.disclosure.rule import Rule

__all__ = ["PRESETS", "RULES", "STRICTEST", "Preset", "Protected", "Rule", "check", "combined", "protect", "verdicts"]
