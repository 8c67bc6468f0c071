"""Finding numbers among many: what is there is found where it stands, what is not is not."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unspun.key_table import KeyTable

NUMBERS = st.integers(0, 2**50)


@given(st.sets(NUMBERS, max_size=200), st.lists(NUMBERS, max_size=50), st.data())
def test_what_is_there_is_found_and_nothing_else(kept: set[int], strangers: list[int], data: st.DataObject) -> None:
    keys = np.array(sorted(kept), np.uint64)
    known = data.draw(st.lists(st.sampled_from(sorted(kept)), max_size=50)) if kept else []
    wanted = np.array([*strangers, *known], np.uint64)
    place, found = KeyTable(keys).find(wanted)
    assert found.tolist() == [int(number) in kept for number in wanted]
    assert (keys[place[found]] == wanted[found]).all()
    assert (place[~found] == 0).all()


@pytest.mark.parametrize("kind", [np.uint32, np.uint64])
def test_many_neighbouring_keys(kind: type[np.unsignedinteger]) -> None:
    keys = np.arange(0, 300_000, 3).astype(kind)
    place, found = KeyTable(keys).find(np.arange(300_000).astype(kind))
    assert found.tolist() == [number % 3 == 0 for number in range(300_000)]
    assert (place[found] == np.arange(100_000)).all()
