"""The audit: an evidence bundle, and its verification anywhere, by anybody, with no torch and no PySyft.

bundle, evidence   a bundle as files, and what they mean; written by a study, read by an auditor
verify             the numbered checks, in order; start here
acts               checks 2 to 4: from the bytes of blocks to signed acts
rules              checks 5 to 8: the rules of the contracts, applied once more; with roles, budgets (16), deployments (3)
journals, proofs   checks 9 and 10: rows, the anchors that close them, single rows by their proofs
agreement          check 11: journals against the ledger
approvals          check 17: decisions of a desk under standing approvals, and second approvals
questions          check 18: what was asked of the data warehouse, and what it cost
averages           part of 12 and 13: numbers, and averages computed again
witnesses          check 15: heads of the chain that sites counter-signed
report, page       what was found, as text, table, JSON and HTML
timeline, forge    the way of a request as data; forgeries, to see that they are found
rocrate            the same evidence as a Five Safes RO-Crate
"""
