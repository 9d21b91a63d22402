"""Widgets: views over data, each with a static fallback, for the researcher, the steward and the auditor.

    form = RequestForm.for_study(study, title="…")     # researcher, steps 1 to 4
    desk = ReviewDesk.for_study(study)                 # stewards, steps 5 and 6
    monitor = TrainingMonitor.for_study(study)         # researcher, steps 7 and 8
    table = AuditTable.from_bundle(study.folder / "evidence")   # anybody, step 10

    AnnotatedNote(note)                                # a note with its marks, as a picture

Every button has a method that does the same: `form.submit()`, `desk.approve_rest()`, `monitor.finish()`.
"""

from fedkit.widgets.annotated_note import AnnotatedNote
from fedkit.widgets.audit_table import AuditTable
from fedkit.widgets.base import Table
from fedkit.widgets.request_form import RequestForm, RequestValues
from fedkit.widgets.review_desk import ReviewDesk
from fedkit.widgets.review_panel import ReviewPanel
from fedkit.widgets.training_monitor import TrainingMonitor

__all__ = [
    "AnnotatedNote",
    "AuditTable",
    "RequestForm",
    "RequestValues",
    "ReviewDesk",
    "ReviewPanel",
    "Table",
    "TrainingMonitor",
]
