"""What a scan is to find at the testbed's server."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """The server's ports, by what they answer. All others are closed.

    An application listens on the `open` ones. A firewall drops segments to the `filtered` ones and
    says nothing; to those to the `rejected` ones it answers with an ICMP error (communication
    administratively prohibited). Raises ValueError for what is no port, and for a port that is to
    be two of these.
    """

    open: tuple[int, ...] = ()
    filtered: tuple[int, ...] = ()
    rejected: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        ports = (*self.open, *self.filtered, *self.rejected)
        if any(not 0 < port < 65536 for port in ports):
            raise ValueError("a port is a number from 1 to 65535")
        if len(set(ports)) < len(ports):
            raise ValueError("a port is either open, filtered or rejected, and once")


SERVICES = Services(
    open=(22, 80, 443, 3306, 8080),
    filtered=(135, 137, 138, 139, 445),
    rejected=(23, 25),
)
"""SSH, HTTP, HTTPS, MySQL and a second HTTP; the ports of Windows file sharing, which firewalls
drop; telnet and SMTP, which they refuse.
"""
