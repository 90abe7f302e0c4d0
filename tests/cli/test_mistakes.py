"""What a user gets for a mistake: two lines, what is wrong and what to do, and a status."""

import errno
import os
from ctypes import CDLL
from pathlib import Path

import pytest

from tcplab.cli.ending import exit_status_of
from tcplab.errors import Exit
from tests.cli.conftest import Run
from tests.links import apart
from tests.live import forked
from tests.testbed.seccomp import forbid_unshare

HANDSHAKE_HELP = "See tcplab handshake --help."
PORTS = "Ports are 1 to 65535."
SERVICES = "Give a port as a number, 1 to 65535, or a name from /etc/services."
TESTBED = "Omit {}, or omit HOST to use the testbed."

MISTAKES = [
    (("handshak",), "There is no command named 'handshak'.", "Did you mean tcplab handshake?"),
    (("fly",), "There is no command named 'fly'.", "See tcplab --help."),
    (("\x1b[31m",), r"There is no command named '\x1b[31m'.", "See tcplab --help."),
    (("-x",), None, "See tcplab --help."),
    (("--lang", "fr"), "Invalid value for '--lang': 'fr' is not one of 'en', 'ko'.", None),
    (("handshake", "--jsn"), None, HANDSHAKE_HELP),
    (("handshake", "--\x1b[31m"), None, HANDSHAKE_HELP),
    (("handshake", "--seq"), "Option '--seq' requires an argument.", HANDSHAKE_HELP),
    (("handshake", "--json=yes"), "Option '--json' does not take a value.", HANDSHAKE_HELP),
    (("handshake", "one", "two"), "Got unexpected extra argument (two)", HANDSHAKE_HELP),
    (("teardown", "HOST"), "Got unexpected extra argument (HOST)", "See tcplab teardown --help."),
    (("teardown", "--how", "fin"), None, "See tcplab teardown --help."),
    (("handshake", "--client", "server"), None, HANDSHAKE_HELP),
    (("handshake", "-p", "0"), "Port 0 does not exist.", PORTS),
    (("handshake", "-p", "70000"), "Port 70000 does not exist.", PORTS),
    (("handshake", "-p", "-1"), "Port -1 does not exist.", PORTS),
    (("handshake", "-p", "9" * 5000), f"Port {'9' * 5000} does not exist.", PORTS),
    (("handshake", "-p", "web"), "There is no TCP service named 'web'.", SERVICES),
    (("handshake", "-p", ""), "There is no TCP service named ''.", SERVICES),
    (("handshake", "-p", "8 0"), "There is no TCP service named '8 0'.", SERVICES),
    (("handshake", "-p", "٨٠"), "There is no TCP service named '٨٠'.", SERVICES),
    (("handshake", "-p", b"\xff"), r"There is no TCP service named '\udcff'.", SERVICES),
    (("handshake", "-p", "\x1b]0;\x07"), r"There is no TCP service named '\x1b]0;\x07'.", SERVICES),
    (
        ("handshake", "-4", "-6"),
        "-4 and -6 cannot be used together.",
        "Give one of them, or neither.",
    ),
    (
        ("handshake", "--send", "x" * 32_768),
        "The line to send has 32768 octets.",
        "Send at most 32767.",
    ),
    (
        ("handshake", "127.0.0.1", "--client", "kernel"),
        "With a HOST the client is always crafted.",
        TESTBED.format("--client kernel"),
    ),
    (
        ("handshake", "127.0.0.1", "--trace"),
        "--trace watches the testbed's kernels; no tracepoint sees inside HOST.",
        TESTBED.format("--trace"),
    ),
]


@pytest.mark.parametrize(
    ("arguments", "what", "remedy"), MISTAKES, ids=lambda each: repr(each)[:40]
)
def test_two_lines_say_what_is_wrong_and_what_to_do(run: Run, arguments, what, remedy):
    done = run(*arguments)
    assert (done.status, done.out) == (2, "")
    said, advised, *more = done.err.split("\n")
    assert more == [""]
    assert said == f"tcplab: {what}" if what else said.startswith("tcplab: ")
    assert advised == f"  → {remedy}" if remedy else advised.startswith("  → ")
    assert all(each.isprintable() for each in done.err if each != "\n")


def test_a_mistake_is_told_in_korean_too(run: Run):
    english, korean = (run("handshake", "-p", "0", "--lang", lang).err for lang in ("en", "ko"))
    assert (english.count("\n"), korean.count("\n")) == (2, 2)
    assert english != korean


def test_with_json_a_mistake_leaves_standard_output_empty(run: Run):
    done = run("handshake", "--json", "-p", "0")
    assert (done.status, done.out, done.err.count("\n")) == (2, "", 2)


# --- what this process may not ------------------------------------------------------------------


PR_CAPBSET_DROP = 24  # linux/prctl.h


def without_namespaces(run: Run, limit: str, *arguments: str):
    """Without privilege, where `user.<limit>` is 0.

    That is a user namespace of our own (`apart`), so the machine keeps its limit.
    """
    Path(f"/proc/sys/user/{limit}").write_text("0")
    for capability in range(64):
        CDLL(None).prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)
    return run(*arguments)


@pytest.mark.parametrize("arguments", [("handshake",), ("teardown", "--client", "crafted")])
def test_forbidden_user_namespaces_are_named_with_their_switch_and_sudo(
    run: Run, tcplab_program: Path, arguments
):
    done = apart(without_namespaces, run, "max_user_namespaces", *arguments)
    assert (done.status, done.out) == (3, "")
    assert done.err == (
        "tcplab: Namespaces are switched off (user.max_user_namespaces = 0).\n"
        "  → Switch them on: sudo sysctl user.max_user_namespaces=15000 "
        f"(or run it as root: sudo {tcplab_program} {' '.join(arguments)})\n"
    )


def test_forbidden_network_namespaces_are_forbidden_to_root_too(run: Run):
    done = apart(without_namespaces, run, "max_net_namespaces", "handshake")
    assert (done.status, done.out) == (4, "")
    assert done.err == (
        "tcplab: Namespaces are switched off (user.max_net_namespaces = 0).\n"
        "  → Switch them on: sudo sysctl user.max_net_namespaces=15000\n"
    )


def in_sandbox(run: Run, *arguments: str):
    forbid_unshare()
    return run(*arguments)


def test_a_sandbox_that_forbids_them_is_told(run: Run):
    done = forked(in_sandbox, run, "handshake")
    assert (done.status, done.out, done.err.count("\n")) == (4, "", 2)
    assert "seccomp" in done.err or "container" in done.err


def test_a_trace_without_root_says_the_whole_sudo_line(run: Run, tcplab_program: Path):
    done = apart(run, "teardown", "--how", "abort", "--trace", "-p", "http")
    assert (done.status, done.out) == (3, "")
    assert done.err == (
        "tcplab: Only root may read the kernel's tracepoints.\n"
        f"  → Run it as root: sudo {tcplab_program} teardown --how abort --trace -p http\n"
    )


def test_a_machine_without_proc_is_told_so(monkeypatch, capfd):
    """Where it is not mounted, the first file that is read there is missing."""

    def command() -> None:
        raise FileNotFoundError(errno.ENOENT, "No such file or directory", "/proc/self/status")

    monkeypatch.setattr(os.path, "exists", lambda path: path != "/proc/self")

    assert exit_status_of(command, str) == Exit.UNAVAILABLE
    told = capfd.readouterr().err.splitlines()
    assert told[0].startswith("tcplab: /proc is not mounted")
    assert told[1:] == ["  → As root: mount -t proc proc /proc"]
