"""What `tcplab doctor` tells: each ability, whether it is there, and what to do if not."""

import sys
from dataclasses import dataclass, replace

from tcplab.analysis.check import Check
from tcplab.errors import PrivilegeError
from tcplab.kernel.privilege import sudo
from tcplab.testbed.preflight.facts import Facts, Step
from tcplab.testbed.preflight.refusal import refusal
from tcplab.text import Text, verbatim

_OLDEST_KERNEL = (5, 4)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """A part of the testbed: what it is for, the kernel module behind it, what works without."""

    purpose: Text
    module: str | None = None
    without: Text


_NO_TESTBED = Text("There is no testbed; a host on the network can still be probed, as root.")
_PARTS = {
    Step.NETWORK_NAMESPACE: _Part(purpose=Text("hosts can be made"), without=_NO_TESTBED),
    Step.VETH: _Part(
        purpose=Text("hosts can be joined by cables"), module="veth", without=_NO_TESTBED
    ),
    Step.OFFLOADS: _Part(
        purpose=Text("frames are real segments: offloads can be turned off"), without=_NO_TESTBED
    ),
    Step.PACKET_SOCKET: _Part(
        purpose=Text("the wire can be held and stepped"), module="af_packet", without=_NO_TESTBED
    ),
    Step.SOCK_DIAG: _Part(
        purpose=Text("the kernel tells the state of its sockets"),
        module="tcp_diag",
        without=_NO_TESTBED,
    ),
    Step.IPV6: _Part(
        purpose=Text("the testbed can speak IPv6"),
        module="ipv6",
        without=Text("Everything works but -6."),
    ),
}

_PACKAGES = {
    "qemu-system-x86_64": {
        "debian": "apt install qemu-system-x86",
        "fedora": "dnf install qemu-system-x86",
        "arch": "pacman -S qemu-system-x86",
        "alpine": "apk add qemu-system-x86_64",
    },
    "tshark": {
        "debian": "apt install tshark",
        "fedora": "dnf install wireshark-cli",
        "arch": "pacman -S wireshark-cli",
        "alpine": "apk add tshark",
    },
}
_WITHOUT_PROGRAM = {
    "qemu-system-x86_64": Text("Everything works: the testbed needs no virtual machine."),
    "tshark": Text("Everything works: only tcplab's own tests use it."),
}


def checks(facts: Facts) -> tuple[Check, ...]:
    """Every check that could be made, what the testbed needs first."""
    found = [_platform(facts), _kernel(facts)]
    if facts.platform == "linux":
        found.append(_user_namespaces(facts))
        found += [_part(step, facts.testbed[step]) for step in _PARTS if step in facts.testbed]
        found += [_raw_sockets(facts), _tracefs(facts)]
    found.append(_scapy(facts))
    found += [_program(facts, name) for name in _PACKAGES]
    found.append(_terminal(facts))
    if facts.leftovers is not None:
        found.append(_leftovers(facts.leftovers))
    return tuple(replace(each, remedy=None, command=None) if each.ok else each for each in found)


def _platform(facts: Facts) -> Check:
    return Check(
        id="platform",
        ok=facts.platform == "linux",
        found=verbatim(facts.platform),
        remedy=Text("Run tcplab in a Linux virtual machine."),
        without=Text("Nothing works but this check and the help."),
    )


def _kernel(facts: Facts) -> Check:
    numbers = facts.kernel.split("-")[0].split(".")[:2]
    release = tuple(int(number) for number in numbers if number.isdigit())
    return Check(
        id="kernel",
        ok=release >= _OLDEST_KERNEL,
        found=verbatim(facts.kernel),
        remedy=Text("Linux 5.4 or newer is needed."),
        without=Text("Some things may work; older kernels are not tested."),
    )


def _user_namespaces(facts: Facts) -> Check:
    ok = facts.rootless.get(Step.USER_NAMESPACE) == ""
    why = refusal(facts)
    return Check(
        id=Step.USER_NAMESPACE.value,
        ok=ok,
        found=Text("the testbed needs no root") if ok else why.what,
        remedy=why.how or Text("Run it as root:"),
        command=why.command or (sudo("handshake") if why.root_may else None),
        without=Text("The testbed works for root: {command}", command=sudo("handshake"))
        if why.root_may
        else _NO_TESTBED,
    )


def _part(step: Step, errno: str) -> Check:
    part = _PARTS[step]
    remedy, command = _cure(part, errno)
    return Check(
        id=step.value,
        ok=not errno,
        found=Text("refused: {errno}", errno=errno) if errno else part.purpose,
        remedy=remedy,
        command=command,
        without=part.without,
    )


def _cure(part: _Part, errno: str) -> tuple[Text | None, str | None]:
    """What mends it depends on the refusal: only some mean that a module is not loaded."""
    if errno in ("EPERM", "EACCES"):
        return Text("This process lacks CAP_NET_ADMIN or CAP_NET_RAW. Run it with both:"), sudo(
            "doctor"
        )
    if errno == "ENOSPC":
        return Text("A limit of namespaces is reached. Raise it:"), (
            "sudo sysctl user.max_net_namespaces=15000 user.max_user_namespaces=15000"
        )
    if part.module:
        return Text("Load the kernel's module:"), f"sudo modprobe {part.module}"
    return None, None


def _raw_sockets(facts: Facts) -> Check:
    if facts.raw_socket:
        found = Text("hosts on the network cannot be probed (no CAP_NET_RAW)")
    elif facts.shield:
        found = Text(
            "hosts on the network can be scanned, but no connection to one crafted (no "
            "CAP_NET_ADMIN, which this kernel asks for a filter on a TCP socket)"
        )
    else:
        found = Text("hosts on the network can be probed (CAP_NET_RAW)")
    return Check(
        id="raw-sockets",
        ok=not facts.raw_socket and not facts.shield,
        found=found,
        remedy=Text("Run such a command as root:"),
        command=sudo("handshake", "HOST"),
        without=Text("The testbed needs none of it."),
    )


def _tracefs(facts: Facts) -> Check:
    failure = facts.tracefs
    root_can = isinstance(failure, PrivilegeError)
    return Check(
        id="tracefs",
        ok=failure is None,
        found=failure.what if failure else Text("--trace can read the kernel's tracepoints"),
        remedy=Text("Run such a command as root:") if root_can else None,
        command=sudo("handshake", "--trace") if root_can else None,
        without=Text("Everything works but --trace: states are read with sock_diag."),
    )


def _scapy(facts: Facts) -> Check:
    return Check(
        id="scapy",
        ok=facts.scapy is not None,
        found=verbatim(facts.scapy) if facts.scapy else Text("{name} is missing", name="Scapy"),
        remedy=Text("Install it:"),
        command=f"{sys.executable} -m pip install 'scapy>=2.5,<3'",
        without=Text("Both ends can be real kernels: tcplab handshake --client kernel"),
    )


def _program(facts: Facts, name: str) -> Check:
    path = facts.programs.get(name)
    packages = _PACKAGES[name]
    known = [packages[system] for system in facts.distributions if system in packages]
    return Check(
        id=name.partition("-")[0],
        ok=path is not None,
        found=verbatim(path) if path else Text("{name} is missing", name=name),
        remedy=Text("Install it with the system's packages:"),
        command=f"sudo {known[0]}" if known else None,
        without=_WITHOUT_PROGRAM[name],
    )


def _terminal(facts: Facts) -> Check:
    return Check(
        id="terminal",
        ok=not facts.ascii_only,
        found=Text("it shows ASCII only") if facts.ascii_only else Text("it shows Unicode"),
        remedy=Text("Choose a UTF-8 locale and a terminal that is not dumb:"),
        command="export LC_ALL=C.UTF-8 TERM=xterm-256color",
        without=Text("Ladders are drawn with ASCII characters, as with --ascii."),
    )


def _leftovers(names: tuple[str, ...]) -> Check:
    found = Text("nothing is left of killed runs")
    if names:
        found = Text("tracing instances of killed runs: {names}", names=", ".join(names))
    return Check(
        id="leftovers",
        ok=not names,
        found=found,
        remedy=Text("The next traced run removes them:"),
        command=sudo("handshake", "--trace"),
        without=Text("Everything works: they only take memory."),
    )
