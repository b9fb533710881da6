"""The faults that tests/planted/__main__.py plants can all be planted still: see tests/planted/entries.py."""

import collections
import pathlib

import pytest
from planted import entries

ROOT = pathlib.Path(__file__).parents[1]
FAULTS = entries.faults()


@pytest.mark.skipif(not (ROOT / "src" / "micrograd_c" / "_core").is_dir(), reason="the sources are not here")
@pytest.mark.parametrize("file", sorted({fault.file for fault in FAULTS}))
def test_what_faults_replace_occurs_once(file):
    assert [line for fault in FAULTS if fault.file == file for line in entries.what_is_wrong(fault, ROOT)] == []


def test_names_of_faults_are_their_own():
    assert [name for name, count in collections.Counter(fault.name for fault in FAULTS).items() if count > 1] == []
    assert len(FAULTS) >= 80
