"""Who forbids namespaces here, and which switch it is."""

from dataclasses import dataclass

from tcplab.errors import PrivilegeError, TcplabError, UnavailableError
from tcplab.kernel.privilege import sudo
from tcplab.testbed.preflight.facts import Facts, Step
from tcplab.text import Text, verbatim


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """`what` forbids it, `how` it is mended if it can be, and the exact `command` if there is one.

    `root_may`: root could run the testbed as things are.
    """

    what: Text
    how: Text | None = None
    command: str | None = None
    root_may: bool = True


def refusal(facts: Facts) -> Refusal:
    """Why user namespaces are refused. The first cause that applies is the one to mend first."""
    return _no_linux(facts) or _contained(facts) or _switched_off(facts) or _unexplained(facts)


def why_no_namespaces(facts: Facts) -> TcplabError:
    """The error for a testbed that may not make its namespaces: what forbids it, what helps."""
    found = refusal(facts)
    how = found.how or verbatim("")
    if found.how and found.command:
        how = Text("{how} {command}", how=found.how, command=found.command)
    if not found.root_may:
        return UnavailableError(found.what, remedy=how)
    if not found.how:
        remedy = Text("Run it as root: {command}", command=sudo())
    else:
        remedy = Text("{how} (or run it as root: {command})", how=how, command=sudo())
    return PrivilegeError(found.what, remedy=remedy)


def _no_linux(facts: Facts) -> Refusal | None:
    if facts.platform == "linux":
        return None
    return Refusal(
        what=Text(
            "The testbed is made of Linux namespaces; this is {system}.", system=facts.platform
        ),
        how=Text("Run tcplab in a Linux virtual machine."),
        root_may=False,
    )


def _contained(facts: Facts) -> Refusal | None:
    """A container's seccomp filter refuses unshare() to whoever lacks CAP_SYS_ADMIN.

    The file that marks a container is no proof alone: images of virtual machines carry it too.
    """
    if not (facts.container and facts.seccomp):
        return None
    return Refusal(
        what=Text("This container may not make namespaces: it lacks CAP_SYS_ADMIN."),
        how=Text("Start the container with the right to make them:"),
        command="docker run --cap-add SYS_ADMIN --cap-add NET_ADMIN "
        "--security-opt seccomp=unconfined --security-opt apparmor=unconfined IMAGE",
        root_may=False,
    )


def _switched_off(facts: Facts) -> Refusal | None:
    """A sysctl that forbids them: Debian's own patch, the kernel's limits, Ubuntu's AppArmor."""
    if facts.unprivileged_userns_clone == 0:
        return _off("kernel.unprivileged_userns_clone", 1)
    if facts.max_user_namespaces == 0:
        return _off("user.max_user_namespaces", 15000)
    if facts.max_net_namespaces == 0:
        return _off("user.max_net_namespaces", 15000, root_may=False)
    if facts.apparmor_restrict_unprivileged_userns:
        return Refusal(
            what=Text(
                "AppArmor forbids user namespaces to programs without a profile ({switch} = 1).",
                switch="kernel.apparmor_restrict_unprivileged_userns",
            ),
            how=Text("Allow them to every program:"),
            command="sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0",
        )
    return None


def _off(switch: str, value: int, *, root_may: bool = True) -> Refusal:
    return Refusal(
        what=Text("Namespaces are switched off ({switch} = 0).", switch=switch),
        how=Text("Switch them on:"),
        command=f"sudo sysctl {switch}={value}",
        root_may=root_may,
    )


def _unexplained(facts: Facts) -> Refusal:
    errno = facts.rootless.get(Step.USER_NAMESPACE) or "EPERM"
    if errno in ("EINVAL", "ENOSYS"):
        return Refusal(what=Text("This kernel has no user namespaces (CONFIG_USER_NS)."))
    if facts.seccomp:
        return Refusal(
            what=Text(
                "A sandbox around this process forbids namespaces (seccomp, {errno}).", errno=errno
            ),
            how=Text("Run tcplab outside that sandbox (a container, a snap, a service)."),
            root_may=False,
        )
    return Refusal(
        what=Text("The kernel refuses user namespaces ({errno}) and does not say why.", errno=errno)
    )
