"""What keeps a scan of a real host from sending: no privilege."""

from tcplab.analysis.scanning.report import Method
from tcplab.errors import PrivilegeError
from tcplab.kernel.privilege import Capability, holds, sudo
from tcplab.text import Text


def check_privilege(method: Method, *, records: bool) -> None:
    """Raises PrivilegeError where the scan of a real host needs CAP_NET_RAW and this process lacks
    it.
    """
    if (method is Method.SYN or records) and not holds(Capability.NET_RAW):
        raise no_privilege(method)


def no_privilege(method: Method) -> PrivilegeError:
    """The kernel has refused what needs CAP_NET_RAW."""
    if method is Method.CONNECT:
        return PrivilegeError(
            Text("Hearing the packets of a real host needs CAP_NET_RAW."),
            remedy=Text("Run: {command}   (or omit --pcap and --ladder)", command=sudo()),
        )
    return PrivilegeError(
        Text("A SYN scan of a real host needs CAP_NET_RAW."),
        remedy=Text(
            "Run: {command}   (or add --connect, which needs no privilege)", command=sudo()
        ),
    )
