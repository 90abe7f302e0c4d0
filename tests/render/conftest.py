"""Golden pictures: plain .txt files under golden/ that a reviewer can read.

`pytest tests/render --snapshot-update` writes them anew; look at the difference before you keep it.
"""

from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode


class GoldenText(SingleFileSnapshotExtension):
    """One picture, one file."""

    _write_mode = WriteMode.TEXT
    file_extension = "txt"

    @classmethod
    def dirname(cls, *, test_location) -> str:
        return str(Path(test_location.filepath).parent / "golden" / test_location.basename)


@pytest.fixture
def golden(snapshot: SnapshotAssertion):
    """`assert text == golden` compares with golden/<module>/<test>.txt."""
    return snapshot.use_extension(GoldenText)
