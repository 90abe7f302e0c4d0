"""Lets two hosts of a testbed get to know each other: one connection that ends well."""

import socket
from contextlib import closing

from tcplab.testbed.direct import DirectTestbed

_PATIENCE_S = 5.0


def introduce(testbed: DirectTestbed) -> None:
    """Connect the client to the server, and let the client close first.

    The server's kernel keeps the round trip that it measured when its end closes (tcp_metrics,
    net/ipv4/tcp_metrics.c, tcp_update_metrics); a connection that was reset leaves nothing behind.
    """
    path = testbed.path("client")
    family = socket.AF_INET6 if ":" in path.destination else socket.AF_INET
    with testbed.inside("server"):
        listener = socket.create_server((path.destination, 0), family=family)
    with closing(listener):
        with path.inside():
            client = socket.socket(family, socket.SOCK_STREAM)
        with closing(client):
            client.settimeout(_PATIENCE_S)
            path.permit.check_socket(client)
            path.permit.check(path.destination)
            client.connect(listener.getsockname())
            served, _ = listener.accept()
        with closing(served):
            served.settimeout(_PATIENCE_S)
            served.recv(1)  # the client's FIN
