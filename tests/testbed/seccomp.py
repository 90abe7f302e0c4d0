"""Forbids unshare() to this process for good, as Docker's default filter does in a container."""

import ctypes
import platform
from struct import pack

UNSHARE = 272 if platform.machine() == "x86_64" else 97
"""The system call's number: 97 wherever the table is the generic one (asm-generic/unistd.h)."""


def forbid_unshare() -> None:
    program = b"".join(
        (
            pack("=HBBI", 0x20, 0, 0, 0),  # load the system call's number
            pack("=HBBI", 0x15, 0, 1, UNSHARE),  # is it unshare?
            pack("=HBBI", 0x06, 0, 0, 0x00050001),  # SECCOMP_RET_ERRNO | EPERM
            pack("=HBBI", 0x06, 0, 0, 0x7FFF0000),  # SECCOMP_RET_ALLOW
        )
    )
    code = ctypes.create_string_buffer(program, len(program))
    fprog = pack("@HP", 4, ctypes.addressof(code))
    libc = ctypes.CDLL(None, use_errno=True)
    assert libc.prctl(38, 1, 0, 0, 0) == 0  # PR_SET_NO_NEW_PRIVS
    assert libc.prctl(22, 2, fprog, 0, 0) == 0  # PR_SET_SECCOMP, SECCOMP_MODE_FILTER
