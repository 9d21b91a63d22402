"""Make data_samples/evidence.zip anew: `python tools/make_sample_evidence.py` (about a minute).

A study of two rounds over the five sample sites, whose evidence the auditor's notebook opens. It holds no notes. To be made
again whenever contracts, journals or the format of bundles change; a test says so.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SAMPLE = ROOT / "data_samples" / "evidence.zip"


def make(file: Path) -> str:
    """Run the study in a temporary folder and write its evidence to a zip file; returns the verdict of its verification."""
    from fedkit.audit.bundle import pack
    from fedkit.audit.verify import verify
    from fedkit.sites.launch import launch
    from fedkit.study import Study

    with (
        tempfile.TemporaryDirectory(prefix="fedkit-sample-") as folder,
        launch("workshop", Path(folder) / "home") as federation,
    ):
        study = Study(
            federation, Path(folder) / "run", lambda event: print(f"{event.step:>2} {event.site or ''} {event.message}")
        )
        try:
            study.describe(
                title="Implants and drug reactions in five languages",
                purpose="Find implants before an MRI and adverse reactions sooner",
                rounds=2,
                settings={"seed": 1},
            )
            study.request()
            study.rehearse()
            study.submit()
            for site in study.sites:
                study.review(site)
                study.decide(site, approved=True)
            study.run()
            study.release()
            report = verify(study.export_evidence())
            pack(study.folder / "evidence", file)
        finally:
            study.close()
    return report.verdict


def main() -> int:
    parser = argparse.ArgumentParser(description="Make the sample evidence anew.")
    parser.add_argument("--to", type=Path, default=SAMPLE, help="the zip file to write")
    file = parser.parse_args().to
    verdict = make(file)
    print(f"{file.name}: {file.stat().st_size:,} bytes, {verdict}")
    return 0 if verdict.startswith("clean") else 1


if __name__ == "__main__":
    sys.exit(main())
