"""Files that a command was asked to write, and what is said when one cannot be."""

import errno
import os
from contextlib import suppress
from typing import BinaryIO

from tcplab.errors import TcplabError, UsageError
from tcplab.text import Text


def opened(path: str, *, force: bool) -> BinaryIO:
    """The file, new or emptied; one that came into being since it was checked only with `force`.

    Raises OSError: ENXIO for a pipe that nobody reads, which would else be waited for, signals or
    not.
    """
    return open(path, "wb" if force or not os.path.isfile(path) else "xb", opener=_at_once)


def _at_once(path: str, flags: int) -> int:
    descriptor = os.open(path, flags | os.O_NONBLOCK, 0o666)
    os.set_blocking(descriptor, True)  # whoever reads may take as long as that takes
    return descriptor


def unwritable(path: str, refusal: OSError) -> TcplabError:
    """The result has been shown, and could not be kept."""
    if refusal.errno == errno.ENXIO:
        return UsageError(
            Text("{path} is a pipe that nobody reads.", path=path),
            remedy=Text("Start its reader first: cat {path} > FILE &", path=path),
        )
    return UsageError(
        Text(
            "{path} could not be written: {why}.",
            path=path,
            why=os.strerror(refusal.errno or 0),
        ),
        remedy=Text("Everything else is above; run it again with another file."),
    )


class OutputFile:
    """A file that is written while a run goes on, which it never ends: the first refusal is kept
    for later, and what comes after it is not written.
    """

    def __init__(self, path: str, *, force: bool) -> None:
        """It is made when something is first written to it."""
        self.path = path
        self.refusal: OSError | None = None
        self._force = force
        self._file: BinaryIO | None = None

    def write(self, octets: bytes | bytearray | memoryview, /) -> None:
        """Write them behind what there is."""
        if self.refusal is not None:
            return
        try:
            self._file = self._file or opened(self.path, force=self._force)
            self._file.write(octets)
        except OSError as refusal:
            self._give_up(refusal)

    def flush(self) -> None:
        """All is in the file."""
        try:
            if self._file is not None:
                self._file.flush()
        except OSError as refusal:
            self._give_up(refusal)

    def close(self) -> None:
        """Nothing more is written. Closing twice is fine."""
        self.flush()
        if self._file is not None:
            self._file.close()
            self._file = None

    def _give_up(self, refusal: OSError) -> None:
        self.refusal = refusal
        if self._file is not None:
            with suppress(OSError):  # it tries once more to write, and is closed all the same
                self._file.close()
            self._file = None
