"""`tcplab handshake HOST` that a signal ends: what was seen is shown and saved, nothing is left."""

import json
import signal
from pathlib import Path

import pytest

from tcplab.tcp.flags import Flags
from tests.links import BLACKHOLE, Result, Run, apart, on_link, routed, until


def interrupted(number: signal.Signals, save: Path) -> Result:
    net = routed()
    net.router.reject(net.server.ip[4], BLACKHOLE)
    run = Run(net.client, "handshake", net.server.ip[4], "--save", str(save))
    run.wait_for(Flags.SYN)
    run.wait_for(Flags.SYN)  # so the first one has been noted
    run.process.send_signal(number)
    return run.result()


def interrupted_while_open() -> Result:
    net = on_link()
    ip = net.server.ip[4]
    listener = net.server.listen(ip)
    run = Run(net.client, "handshake", ip, "--json")
    accepted, _peer = run.accepted_by(listener)
    assert accepted.recv(1) == b""  # its FIN has come
    until(lambda: asleep(run.process.pid))  # and now it waits for ours, with nothing left to read
    run.process.send_signal(signal.SIGINT)
    return run.result()


def asleep(pid: int) -> bool:
    """Does the kernel have it wait (man 5 proc_pid_stat)?"""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "S"


def test_the_reset_after_a_signal_is_told_as_well():
    result = apart(interrupted_while_open)

    assert result.status == 130
    assert result.flags_told == [each.flags.letters for each in result.sent]
    assert result.sent[-1].has(Flags.RST)
    assert result.findings["close.unfinished"]["verdict"] == "inconclusive"


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_signal_shows_and_saves_what_was_seen(name, tmp_path):
    number = signal.Signals[name]
    result = apart(interrupted, number, tmp_path / "run.jsonl")

    assert result.status == 128 + number
    assert "[SYN]" in result.out
    assert result.err == ""
    kept = [json.loads(line) for line in (tmp_path / "run.jsonl").read_text().splitlines()]
    assert kept[0]["interrupted"] is True
    assert "S" in [event.get("flags") for event in kept]
