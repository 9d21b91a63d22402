"""Inside the hospital: PySyft domain, note store, gate, confined worker, journal, behind the `Site` seam."""
