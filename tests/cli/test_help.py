"""Help and shell completion: what a newcomer meets first."""

import re

import pytest

from tcplab.cli import COMMANDS
from tests.cli.conftest import Run


def test_without_a_command_there_is_help_and_the_status_of_a_mistake(run: Run):
    done = run()
    assert (done.status, done.err) == (2, "")
    assert done.out == run("--help").out


def test_help_lists_every_command(run: Run):
    listed = re.findall(r"^  ([\w-]+)  +\w", run("--help").out, re.MULTILINE)
    assert listed == [*COMMANDS]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_s_help_has_examples_that_are_commands(run: Run, command):
    done = run(command, "-h")
    assert (done.status, done.err) == (0, "")
    _, _, examples = done.out.partition("\nExamples:\n")
    lines = re.findall(r"^  ((?:sudo )?tcplab [\w-]+.*)\n    \S", examples, re.MULTILINE)
    assert len(lines) >= 2
    for line in lines:
        *_, name, options = re.fullmatch(r"(sudo )?tcplab ([\w-]+)(.*)", line).groups()
        assert name == command
        known = re.findall(r"(?<![\w-])--?\w[\w-]*", done.out.partition("Options:")[2])
        assert {word for word in options.split() if word.startswith("-")} <= {*known}


@pytest.mark.parametrize("command", [*COMMANDS, None])
@pytest.mark.parametrize("language", ["en", "ko"])
def test_help_fits_the_terminal(run: Run, command, language):
    from rich.cells import cell_len

    done = run(*filter(None, [command]), "--help", "--lang", language)
    assert max(map(cell_len, done.out.splitlines())) <= 80


def complete(run: Run, words: str, shell: str = "bash") -> list[str]:
    """What the shell offers for the last of these words."""
    typed = words.split(" ")
    number = str(len(typed) - 1)
    done = run(_TCPLAB_COMPLETE=f"{shell}_complete", COMP_WORDS=words, COMP_CWORD=number)
    assert (done.status, done.err) == (0, "")
    return [line.removeprefix("plain,") for line in done.out.splitlines()]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_every_shell_gets_its_script(run: Run, shell):
    done = run(_TCPLAB_COMPLETE=f"{shell}_source")
    assert (done.status, done.err) == (0, "")
    assert f"_TCPLAB_COMPLETE={shell}_complete" in done.out


def test_commands_are_completed(run: Run):
    assert complete(run, "tcplab ") == [*COMMANDS]
    assert complete(run, "tcplab te") == ["teardown"]


def test_options_are_completed(run: Run):
    assert complete(run, "tcplab handshake --s") == ["--send", "--seq", "--save", "--svg"]


def test_choices_are_completed(run: Run):
    assert complete(run, "tcplab teardown --how s") == ["server-first", "simultaneous"]


def test_file_names_are_the_shell_s_to_complete(run: Run):
    assert complete(run, "tcplab handshake --pcap run") == ["file,run"]


def test_zsh_shows_what_an_option_does(run: Run):
    offered = complete(run, "tcplab handshake --pc", shell="zsh")
    assert offered == ["plain", "--pcap", "Write the packets as pcapng, commented."]
