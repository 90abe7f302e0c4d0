"""What a process may do, and the command line that gets it more."""

import os
import sys

import pytest

from tcplab.kernel.privilege import Capability, holds, in_first_user_namespace, sudo
from tcplab.testbed.netns import enter_user_namespace
from tests.live import forked


def all_held_and_first(prepare=lambda: None) -> tuple[bool, bool]:
    """(all capabilities held, in the first user namespace), after `prepare`."""
    prepare()
    return holds(*Capability), in_first_user_namespace()


@pytest.mark.root
def test_root_holds_everything():
    assert all_held_and_first() == (True, True)


@pytest.mark.root
def test_an_ordinary_user_holds_nothing():
    assert forked(all_held_and_first, lambda: os.setuid(65534)) == (False, True)


def test_the_root_of_a_user_namespace_holds_everything_in_there():
    assert forked(all_held_and_first, enter_user_namespace) == (True, False)


def test_sudo_repeats_the_command_with_the_programs_full_path(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["/home/jo/.venv/bin/tcplab", "handshake", "--send", "a b"])
    assert sudo() == "sudo /home/jo/.venv/bin/tcplab handshake --send 'a b'"


def test_sudo_with_other_arguments(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["/home/jo/.venv/bin/tcplab", "doctor"])
    assert sudo("handshake", "HOST") == "sudo /home/jo/.venv/bin/tcplab handshake HOST"


def test_sudo_for_a_module_that_was_run_names_the_interpreter(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["/src/tcplab/__main__.py", "doctor"])
    monkeypatch.setattr(sys, "executable", "/usr/bin/python3")
    assert sudo() == "sudo /usr/bin/python3 -m tcplab doctor"
