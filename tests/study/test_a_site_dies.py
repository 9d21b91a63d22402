"""A site whose process is gone when the others are asked: it is named, and they go on without it."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pytest

from fedkit.errors import SiteError
from fedkit.results import Count
from fedkit.sites.launch import Federation, launch
from fedkit.study import Study


def kill(federation: Federation, site: str) -> None:
    """End the process of one site, by nobody's leave."""
    port = urlsplit(str(federation.sites[site].url)).port
    family = psutil.Process().children(recursive=True)
    (found,) = [
        p for p in family if any(c.status == psutil.CONN_LISTEN and c.laddr.port == port for c in p.net_connections("tcp"))
    ]
    found.kill()
    psutil.wait_procs([found], timeout=10)


def test_it_is_named_the_others_combine_and_the_release_goes_without_it(small_corpus: Path, tmp_path: Path) -> None:
    with launch("dying", tmp_path / "home", corpus=small_corpus, isolation="process") as federation:
        study = Study(federation, tmp_path / "study")
        study.describe(title="How many", purpose="Plan the capacity", template="count", parameters={"threshold": 2})
        study.request(), study.rehearse(), study.submit()
        for site in study.sites:
            study.decide(site, approved=True)
        kill(federation, "fi")
        result = study.run()
        assert isinstance(result, Count)
        assert result.sites == ["no", "et"]
        assert "fi" in result.missing
        assert study.run().digest == result.digest
        study.release()
        assert study.result().digest == result.digest
        with pytest.raises(SiteError):  # evidence without a site's journal would be none
            study.verify()
        study.close()
