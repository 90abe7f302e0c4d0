"""`tcplab doctor`, run as a user runs it."""

import json
import subprocess
from pathlib import Path

from tests.live import forked
from tests.testbed.seccomp import forbid_unshare


def run(program: Path, *options: str) -> tuple[int, str, str]:
    done = subprocess.run(
        [program, "doctor", *options], capture_output=True, text=True, timeout=60, check=False
    )
    return done.returncode, done.stdout, done.stderr


def run_without_namespaces(program: Path, *options: str) -> tuple[int, str, str]:
    forbid_unshare()
    return run(program, *options)


def test_this_machine_runs_the_testbed(tcplab_program: Path):
    status, out, err = run(tcplab_program, "--lang", "en")
    assert (status, err) == (0, "")
    assert out.splitlines()[-1].endswith(" The testbed runs here.")


def test_json_is_one_object(tcplab_program: Path):
    status, out, err = run(tcplab_program, "--json")
    told = json.loads(out)
    assert (status, err) == (0, "")
    assert (told["schema"], told["testbed"]) == ("tcplab.doctor/1", True)
    assert {tuple(check) for check in told["checks"]} == {
        ("id", "ok", "found", "remedy", "command", "without")
    }


def test_ascii(tcplab_program: Path):
    status, out, _ = run(tcplab_program, "--ascii", "--lang", "en")
    assert (status, out.isascii()) == (0, True)


def test_where_namespaces_are_forbidden_the_status_is_unavailable(tcplab_program: Path):
    status, out, err = forked(run_without_namespaces, tcplab_program, "--json")
    told = json.loads(out)
    assert (status, err, told["testbed"]) == (4, "", False)
    assert next(check["id"] for check in told["checks"] if not check["ok"]) == "user-namespaces"
