"""Socket calls in terms of tcplab's own TCP (RFC 9293 §3.9.1)."""

import errno

from tcplab.scenario.calls import Abort, Accept, Call, Close, Connect, Listen, Read, Send, Shutdown
from tcplab.tcp.endpoint import Endpoint
from tcplab.testbed.host import Outcome


def offered(call: Call) -> bool:
    """Can this TCP do it?"""
    match call:
        case Connect(bind=bind):
            return bind
        case Send(urgent=urgent):
            return not urgent
        case Listen() | Accept() | Read() | Shutdown() | Close() | Abort():
            return True
        case _:
            return False


def perform(endpoint: Endpoint, call: Call, now_ns: int) -> Outcome:
    """Make the call. Raises OSError as the kernel would."""
    match call:
        case Listen():
            endpoint.listen()
        case Connect():
            endpoint.open(now_ns)
        case Accept():
            if not endpoint.state.synchronized:
                return Outcome(result=errno.errorcode[errno.EAGAIN])
        case Send(data):
            endpoint.send(data, now_ns)
            return Outcome(result=str(len(data)))
        case Read(octets):
            return _read(endpoint, octets)
        case Shutdown():
            endpoint.shutdown(now_ns)
        case Close():
            endpoint.close(now_ns)
        case Abort():
            endpoint.abort(now_ns)
        case _:
            raise TypeError(f"{call} of a crafted host")
    return Outcome(result="0")


def _read(endpoint: Endpoint, octets: int) -> Outcome:
    data = endpoint.read(octets)
    if data or endpoint.eof:
        return Outcome(result=str(len(data)), data=data)
    return Outcome(result=endpoint.error or errno.errorcode[errno.EAGAIN])
