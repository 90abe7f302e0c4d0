"""What a call that failed is told as."""

import errno


class TlsError(OSError):
    """TLS ended the connection; `reason` is OpenSSL's word for why."""

    def __init__(self, reason: str) -> None:
        super().__init__(errno.EPROTO, reason)
        self.reason = reason


def word(failure: OSError) -> str:
    """The name of the error's errno; TLS has names of its own."""
    if isinstance(failure, TlsError):
        return failure.reason
    return errno.errorcode.get(failure.errno or 0, str(failure.errno))
