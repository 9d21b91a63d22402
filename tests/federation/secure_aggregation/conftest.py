"""Five sites after they exchanged keys and shares."""

from __future__ import annotations

import pytest
from sum_ring import Ring, make_ring


@pytest.fixture
def ring() -> Ring:
    return make_ring(5)
