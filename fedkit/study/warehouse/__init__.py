"""The caller's side of the data warehouse: one data request, many questions, all sites as if they were one.

    warehouse = fedkit.Warehouse(federation, "runs/implants", user="ana")
    warehouse.open(title="Implants", purpose="Plan MRI capacity", questions=20, rho=0.5)      # stewards approve it once
    asked = warehouse.count("mentions").where(label="IMPLANT", year=(2020, 2024)).by("year")
    asked.plan()                 # what it costs at each site, which rule refuses it, what each would run; runs nothing
    asked.run()                  # a WarehouseAnswer, with the sites that gave nothing named

warehouse: the data request and what can be done under it · asking: a question while it is being put together · planning: all
sites' plans as one · running: from a plan to an answer, by a deadline · pooling: sums under masks · records: what is kept of
each question, so that a crash loses none and asks none twice · evidence: what goes to the ledger and into the bundle.
"""

from fedkit.study.warehouse.asking import Ask
from fedkit.study.warehouse.planning import Plan
from fedkit.study.warehouse.warehouse import Warehouse

__all__ = ["Ask", "Plan", "Warehouse"]
