"""Golden texts: plain .txt files beside the tests that a reviewer can read.

`pytest --snapshot-update` writes them anew; look at the difference before you keep it.
"""

from pathlib import Path

from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode


class GoldenText(SingleFileSnapshotExtension):
    """One text, one file: golden/<module>/<test>.txt."""

    _write_mode = WriteMode.TEXT
    file_extension = "txt"

    @classmethod
    def dirname(cls, *, test_location) -> str:
        return str(Path(test_location.filepath).parent / "golden" / test_location.basename)
