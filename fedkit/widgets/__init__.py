"""Widgets: views over data, each with a static fallback, for the researcher, the steward and the auditor.

    form = RequestForm.for_study(study, title="…")     # researcher, steps 1 to 4
    desk = ReviewDesk.for_study(study)                 # a lesson's stewards, steps 5 and 6
    desk = StewardDesk(Stewardship.of(federation, "no"))        # one steward's own desk at one site
    monitor = TrainingMonitor.for_study(study)         # researcher, steps 7 and 8
    table = AuditTable.from_bundle(study.folder / "evidence")   # anybody, step 10

    desk = WarehouseDesk.for_warehouse(warehouse)      # analyst: a question, its plan, its answer
    AnswerView(answer)                                 # an answer of the warehouse, with what was kept back
    CatalogueView(warehouse.catalogue())               # what the sites hold, for everybody

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
from fedkit.widgets.warehouse_answer import AnswerView
from fedkit.widgets.warehouse_catalogue import CatalogueView
from fedkit.widgets.warehouse_desk import WarehouseDesk

__all__ = [
    "AnnotatedNote",
    "AnswerView",
    "AuditTable",
    "CatalogueView",
    "PolicyTable",
    "RequestForm",
    "RequestValues",
    "ReviewDesk",
    "ReviewPanel",
    "StewardDesk",
    "Table",
    "TrainingMonitor",
    "WarehouseDesk",
]
