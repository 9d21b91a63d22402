"""The rules: requests, decisions, output contracts, findings, levels. Data in, data out, no I/O."""
