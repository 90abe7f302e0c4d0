"""Preflight: every system's way of saying no, as facts; and this machine, really tried."""

import ctypes
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tcplab.analysis.check import Check
from tcplab.errors import PrivilegeError, TcplabError, UnavailableError
from tcplab.testbed.netns import enter_user_namespace
from tcplab.testbed.preflight import Facts, checks, facts_of_this_machine, why_no_namespaces
from tcplab.testbed.preflight.facts import Step
from tcplab.text import Text
from tests.live import forked
from tests.testbed.seccomp import forbid_unshare

ALL = dict.fromkeys(Step, "")
FINE = Facts(
    platform="linux",
    kernel="6.18.44",
    rootless=ALL,
    direct=ALL,
    leftovers=(),
    scapy="2.8.0",
    programs={"qemu-system-x86_64": "/usr/bin/qemu-system-x86_64", "tshark": "/usr/bin/tshark"},
    distributions=("ubuntu", "debian"),
)
REFUSED = {Step.USER_NAMESPACE: "EPERM"}
UNPRIVILEGED = replace(
    FINE,
    direct={Step.USER_NAMESPACE: "", Step.NETWORK_NAMESPACE: "EPERM"},
    raw_socket="EPERM",
    tracefs=PrivilegeError(Text("Only root may look."), remedy=Text("Be root.")),
    leftovers=None,
)
NO_NAMESPACES = replace(UNPRIVILEGED, rootless=REFUSED)
DEBIAN = replace(NO_NAMESPACES, unprivileged_userns_clone=0)
RED_HAT = replace(NO_NAMESPACES, rootless={Step.USER_NAMESPACE: "ENOSPC"}, max_user_namespaces=0)
NO_NETNS = replace(NO_NAMESPACES, rootless={Step.USER_NAMESPACE: "ENOSPC"}, max_net_namespaces=0)
UBUNTU = replace(NO_NAMESPACES, apparmor_restrict_unprivileged_userns=1)
CONTAINER = replace(NO_NAMESPACES, container=True, seccomp=True)
CONTAINER_ON_UBUNTU = replace(CONTAINER, apparmor_restrict_unprivileged_userns=1)
MARKED_VM = replace(NO_NAMESPACES, container=True)
SANDBOX = replace(NO_NAMESPACES, seccomp=True)
NOT_BUILT = replace(NO_NAMESPACES, rootless={Step.USER_NAMESPACE: "EINVAL"})
MACOS = Facts(
    platform="darwin", kernel="23.6.0", tracefs=UnavailableError(Text(""), remedy=Text(""))
)


def check(facts: Facts, name: str) -> Check:
    (found,) = (each for each in checks(facts) if each.id == name)
    return found


@pytest.fixture(autouse=True)
def started_as(monkeypatch):
    monkeypatch.setattr("sys.argv", ["/opt/tcplab/bin/tcplab", "teardown", "--how", "abort"])


SUDO = "sudo /opt/tcplab/bin/tcplab"
DOCKER = (
    "docker run --cap-add SYS_ADMIN --cap-add NET_ADMIN "
    "--security-opt seccomp=unconfined --security-opt apparmor=unconfined IMAGE"
)


@pytest.mark.parametrize(
    ("facts", "what", "command"),
    [
        pytest.param(
            DEBIAN,
            "Namespaces are switched off (kernel.unprivileged_userns_clone = 0).",
            "sudo sysctl kernel.unprivileged_userns_clone=1",
            id="Debian's sysctl",
        ),
        pytest.param(
            RED_HAT,
            "Namespaces are switched off (user.max_user_namespaces = 0).",
            "sudo sysctl user.max_user_namespaces=15000",
            id="Red Hat's limit",
        ),
        pytest.param(
            NO_NETNS,
            "Namespaces are switched off (user.max_net_namespaces = 0).",
            "sudo sysctl user.max_net_namespaces=15000",
            id="no network namespaces",
        ),
        pytest.param(
            UBUNTU,
            "AppArmor forbids user namespaces to programs without a profile "
            "(kernel.apparmor_restrict_unprivileged_userns = 1).",
            "sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0",
            id="Ubuntu's AppArmor",
        ),
        pytest.param(
            CONTAINER,
            "This container may not make namespaces: it lacks CAP_SYS_ADMIN.",
            DOCKER,
            id="container",
        ),
        pytest.param(
            CONTAINER_ON_UBUNTU,
            "This container may not make namespaces: it lacks CAP_SYS_ADMIN.",
            DOCKER,
            id="container on Ubuntu",
        ),
        pytest.param(
            MARKED_VM,
            "The kernel refuses user namespaces (EPERM) and does not say why.",
            f"{SUDO} handshake",
            id="virtual machine made from a container's image",
        ),
        pytest.param(
            SANDBOX,
            "A sandbox around this process forbids namespaces (seccomp, EPERM).",
            None,
            id="sandbox",
        ),
        pytest.param(
            NOT_BUILT,
            "This kernel has no user namespaces (CONFIG_USER_NS).",
            f"{SUDO} handshake",
            id="kernel without them",
        ),
    ],
)
def test_doctor_names_what_forbids_user_namespaces(facts: Facts, what: str, command: str | None):
    found = check(facts, "user-namespaces")
    assert (found.ok, str(found.found), found.command) == (False, what, command)
    assert found.remedy is not None
    assert not facts.testbed_runs


@pytest.mark.parametrize(
    ("facts", "error", "remedy"),
    [
        pytest.param(
            UBUNTU,
            PrivilegeError,
            "Allow them to every program: "
            "sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0 "
            f"(or run it as root: {SUDO} teardown --how abort)",
            id="Ubuntu's AppArmor",
        ),
        pytest.param(
            DEBIAN,
            PrivilegeError,
            "Switch them on: sudo sysctl kernel.unprivileged_userns_clone=1 "
            f"(or run it as root: {SUDO} teardown --how abort)",
            id="Debian's sysctl",
        ),
        pytest.param(
            NO_NETNS,
            UnavailableError,
            "Switch them on: sudo sysctl user.max_net_namespaces=15000",
            id="no network namespaces, for root either",
        ),
        pytest.param(
            CONTAINER,
            UnavailableError,
            f"Start the container with the right to make them: {DOCKER}",
            id="container",
        ),
        pytest.param(
            SANDBOX,
            UnavailableError,
            "Run tcplab outside that sandbox (a container, a snap, a service).",
            id="sandbox",
        ),
        pytest.param(
            NOT_BUILT,
            PrivilegeError,
            f"Run it as root: {SUDO} teardown --how abort",
            id="kernel without them",
        ),
        pytest.param(
            MACOS, UnavailableError, "Run tcplab in a Linux virtual machine.", id="not Linux"
        ),
    ],
)
def test_a_testbed_that_is_refused_says_what_to_do(
    facts: Facts, error: type[TcplabError], remedy: str
):
    why = why_no_namespaces(facts)
    assert (type(why), str(why.remedy)) == (error, remedy)


def test_where_all_is_fine_nothing_needs_mending():
    found = checks(FINE)
    assert [(each.ok, each.remedy, each.command) for each in found] == [(True, None, None)] * 16
    assert FINE.testbed_runs


def test_without_privilege_the_testbed_runs_all_the_same():
    missing = {each.id: each.command for each in checks(UNPRIVILEGED) if not each.ok}
    assert missing == {
        "raw-sockets": f"{SUDO} handshake HOST",
        "tracefs": f"{SUDO} handshake --trace",
    }
    assert UNPRIVILEGED.testbed_runs


def test_root_needs_no_user_namespace():
    facts = replace(FINE, rootless=REFUSED)
    assert [each.id for each in checks(facts) if not each.ok] == ["user-namespaces"]
    assert facts.testbed_runs


def test_what_could_not_be_tried_is_not_told():
    assert {each.id for each in checks(FINE)} - {each.id for each in checks(UBUNTU)} == {
        "network-namespaces",
        "veth",
        "offload-control",
        "packet-sockets",
        "sock-diag",
        "ipv6",
        "leftovers",
    }


@pytest.mark.parametrize(
    ("step", "command"),
    [
        (Step.NETWORK_NAMESPACE, None),
        (Step.VETH, "sudo modprobe veth"),
        (Step.OFFLOADS, None),
        (Step.PACKET_SOCKET, "sudo modprobe af_packet"),
        (Step.SOCK_DIAG, "sudo modprobe tcp_diag"),
    ],
)
def test_a_missing_part_of_the_testbed_is_named(step: Step, command: str | None):
    facts = replace(UNPRIVILEGED, rootless=ALL | {step: "EOPNOTSUPP"})
    found = check(facts, step.value)
    assert (found.ok, str(found.found), found.command) == (False, "refused: EOPNOTSUPP", command)
    assert not facts.testbed_runs


def test_without_ipv6_the_testbed_runs():
    facts = replace(UNPRIVILEGED, rootless=ALL | {Step.IPV6: "EAFNOSUPPORT"})
    assert not check(facts, "ipv6").ok
    assert facts.testbed_runs


def test_tracefs_that_root_cannot_have_either_has_no_command():
    locked = UnavailableError(Text("The kernel is locked down."), remedy=Text("Do without."))
    found = check(replace(FINE, tracefs=locked), "tracefs")
    assert (found.ok, str(found.found), found.remedy, found.command) == (
        False,
        "The kernel is locked down.",
        None,
        None,
    )


@pytest.mark.parametrize(
    ("kernel", "ok"),
    [("6.18.44-fc", True), ("5.4.0-150-generic", True), ("5.3", False), ("4.19.0", False)],
)
def test_kernels_before_5_4_are_too_old(kernel: str, ok: bool):
    assert check(replace(FINE, kernel=kernel), "kernel").ok is ok


@pytest.mark.parametrize(
    ("distributions", "command"),
    [
        (("linuxmint", "ubuntu", "debian"), "sudo apt install tshark"),
        (("rocky", "rhel", "centos", "fedora"), "sudo dnf install wireshark-cli"),
        (("arch",), "sudo pacman -S wireshark-cli"),
        (("alpine",), "sudo apk add tshark"),
        (("nixos",), None),
    ],
)
def test_a_missing_program_is_installed_as_the_distribution_does(
    distributions: tuple[str, ...], command: str | None
):
    found = check(replace(FINE, programs={}, distributions=distributions), "tshark")
    assert (found.ok, found.command) == (False, command)


def test_a_missing_scapy_leaves_the_kernel_client():
    found = check(replace(FINE, scapy=None), "scapy")
    assert not found.ok
    assert found.command is not None
    assert found.command.endswith(" -m pip install 'scapy>=2.5,<3'")


def test_an_ascii_terminal_is_told_of():
    assert not check(replace(FINE, ascii_only=True), "terminal").ok


def test_leftovers_are_named():
    found = check(replace(FINE, leftovers=("tcplab-7-9",)), "leftovers")
    assert (found.ok, str(found.found), found.command) == (
        False,
        "tracing instances of killed runs: tcplab-7-9",
        f"{SUDO} handshake --trace",
    )


def test_another_system_gets_no_checks_of_linux():
    assert [each.id for each in checks(MACOS)] == [
        "platform",
        "kernel",
        "scapy",
        "qemu",
        "tshark",
        "terminal",
    ]


# --- this machine --------------------------------------------------------------------------------


def facts_after(prepare: Callable[[], None]) -> Facts:
    """The facts as a forked child finds them that has prepared itself: it cannot be undone."""

    def find() -> Facts:
        facts_of_this_machine()  # imports what root's own Python may hide from nobody
        prepare()
        return replace(facts_of_this_machine(), tracefs=None)  # an error cannot be pickled

    return forked(find)


def own_namespaces() -> list[Path]:
    return [Path("/proc/self/ns", kind).readlink() for kind in ("user", "net", "mnt")]


def lose_privilege() -> None:
    """Be nobody, if this is root."""
    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)
        # Without exec the kernel keeps what root had in /proc/self from nobody (PR_SET_DUMPABLE).
        assert ctypes.CDLL(None).prctl(4, 1, 0, 0, 0) == 0


def test_the_testbed_runs_here_without_privilege():
    facts = facts_after(lose_privilege)
    assert facts.rootless == ALL
    assert facts.direct == {Step.USER_NAMESPACE: "", Step.NETWORK_NAMESPACE: "EPERM"}
    assert facts.raw_socket == "EPERM"
    assert facts.testbed_runs


def test_probing_leaves_the_process_where_it_was():
    before = own_namespaces()
    facts_of_this_machine()
    assert own_namespaces() == before


def test_the_limit_of_user_namespaces_is_found():
    """The limit counts per user namespace, so the child sets it for itself alone."""

    def forbid() -> None:
        lose_privilege()
        enter_user_namespace()
        Path("/proc/sys/user/max_user_namespaces").write_text("0")

    facts = facts_after(forbid)
    assert facts.rootless == {Step.USER_NAMESPACE: "ENOSPC"}
    assert str(why_no_namespaces(facts)) == (
        "Namespaces are switched off (user.max_user_namespaces = 0)."
    )


def test_a_seccomp_filter_is_found():
    def forbid() -> None:
        lose_privilege()
        forbid_unshare()

    facts = replace(facts_after(forbid), container=True)
    assert (facts.rootless, facts.seccomp) == (REFUSED, True)
    assert str(why_no_namespaces(facts)) == (
        "This container may not make namespaces: it lacks CAP_SYS_ADMIN."
    )


def test_a_refusal_for_want_of_a_capability_is_not_mended_by_a_module():
    veth = check(replace(UNPRIVILEGED, rootless=ALL | {Step.VETH: "EPERM"}), "veth")
    assert "CAP_NET_ADMIN" in str(veth.remedy)
    assert "modprobe" not in str(veth.command)


def test_a_limit_that_is_reached_names_the_settings_that_raise_it():
    veth = check(replace(UNPRIVILEGED, rootless=ALL | {Step.VETH: "ENOSPC"}), "veth")
    assert "max_net_namespaces" in str(veth.command)
