"""The audit: an evidence bundle, and its verification anywhere, by anybody, with no torch and no PySyft.

evidence    what a bundle is; written by a study, read by an auditor
verify      the fourteen numbered checks, in order
acts        checks 2 to 4: from the bytes of blocks to signed acts
rules       checks 5 to 8: the rules of the contracts, applied once more
agreement   check 11: journals against the ledger
report      what was found, as text, table, JSON and HTML
forge       forgeries, to see that they are found
"""
