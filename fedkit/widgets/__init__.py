"""Widgets: views over data, each with a static fallback, for the researcher, the steward and the auditor.

form = RequestForm(on_submit, title="…")     # researcher, steps 1 to 4
desk = ReviewDesk([ReviewPanel(review, decide), …])   # steward, steps 5 and 6
monitor = TrainingMonitor(rounds, sites, start)       # researcher, steps 7 and 8
table = AuditTable(journals, report)         # auditor, step 10
"""

from fedkit.widgets.audit_table import AuditTable
from fedkit.widgets.base import Table
from fedkit.widgets.request_form import RequestForm, RequestValues
from fedkit.widgets.review_panel import ReviewDesk, ReviewPanel
from fedkit.widgets.training_monitor import TrainingMonitor

__all__ = ["AuditTable", "RequestForm", "RequestValues", "ReviewDesk", "ReviewPanel", "Table", "TrainingMonitor"]
