"""Widgets: views over data, each with a static fallback, for the researcher, the steward and the auditor.

    form = RequestForm.for_study(study, title="…")     # researcher, steps 1 to 4
    desk = ReviewDesk.for_study(study)                 # a lesson's stewards, steps 5 and 6
    desk = StewardDesk(Stewardship.of(federation, "no"))        # one steward's own desk at one site
    monitor = TrainingMonitor.for_study(study)         # researcher, steps 7 and 8
    table = AuditTable.from_bundle(study.folder / "evidence")   # anybody, step 10

    AnnotatedNote(note)                                # a note with its marks, as a picture
    PolicyTable(explain(settings_of("strict")))        # what a site asks, in plain words

Every button has a method that does the same: `form.submit()`, `desk.approve_rest()`, `monitor.finish()`.
"""

from fedkit.widgets.annotated_note import AnnotatedNote
from fedkit.widgets.audit_table import AuditTable
from fedkit.widgets.base import Table
from fedkit.widgets.policy_table import PolicyTable
from fedkit.widgets.request_form import RequestForm, RequestValues
from fedkit.widgets.review_desk import ReviewDesk
from fedkit.widgets.review_panel import ReviewPanel
from fedkit.widgets.steward_desk import StewardDesk
from fedkit.widgets.training_monitor import TrainingMonitor

__all__ = [
    "AnnotatedNote",
    "AuditTable",
    "PolicyTable",
    "RequestForm",
    "RequestValues",
    "ReviewDesk",
    "ReviewPanel",
    "StewardDesk",
    "Table",
    "TrainingMonitor",
]
