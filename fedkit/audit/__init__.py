"""What an auditor runs, anywhere and offline: evidence bundles and their verification. No torch, no PySyft, no notes."""
