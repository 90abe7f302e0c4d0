"""What a user may give as a scenario file, and what happens to what is none."""

import os

import pytest

from tcplab.errors import UsageError
from tcplab.scenario import catalogue
from tcplab.scenario.mistake import ScenarioError
from tcplab.scenario.reader import read

PATH = "Check the path; tcplab run --list shows the scenarios that tcplab has."
NO_FILE = "Give the path of a scenario file, such as my.toml."


def refusal(path) -> tuple[str, str]:
    with pytest.raises(UsageError) as caught:
        read(str(path))
    return str(caught.value.what), str(caught.value.remedy)


def test_a_file_is_a_scenario_named_after_it(tmp_path):
    path = tmp_path / "my own.toml"
    path.write_text(catalogue.text("three-way"))
    scenario = read(str(path))
    assert (scenario.name, scenario.group) == ("my own", None)
    assert scenario.steps == catalogue.load("three-way").steps


@pytest.mark.parametrize("ends", ["\r\n", "\n"])
def test_a_file_from_windows_reads_as_any_other(tmp_path, ends):
    path = tmp_path / "my.toml"
    path.write_bytes(b"\xef\xbb\xbf" + catalogue.text("three-way").replace("\n", ends).encode())
    assert read(str(path)).steps == catalogue.load("three-way").steps


def test_a_line_of_a_file_from_windows_is_found(tmp_path):
    path = tmp_path / "my.toml"
    path.write_bytes(catalogue.text("three-way").replace("\n", "\r\n").encode() + b"[[stp]]\r\n")
    what, _remedy = refusal(path)
    line = catalogue.text("three-way").count("\n") + 1
    assert what == f"{path}:{line}: There is no key 'stp' here."


def test_no_such_file():
    assert refusal("/nowhere/my.toml") == (
        "/nowhere/my.toml could not be read: No such file or directory.",
        PATH,
    )


def test_a_name_that_no_file_can_have():
    what, remedy = refusal("my\0.toml")
    assert what.endswith("could not be read: embedded null byte.")
    assert remedy == PATH


@pytest.mark.parametrize("path", ["/dev/zero", "/dev/null", "/"])
def test_no_regular_file(path):
    assert refusal(path) == (f"{path} is not a regular file.", NO_FILE)


def test_a_fifo_is_not_waited_for(tmp_path):
    path = tmp_path / "fifo.toml"
    os.mkfifo(path)
    assert refusal(path) == (f"{path} is not a regular file.", NO_FILE)


def test_too_large(tmp_path):
    path = tmp_path / "my.toml"
    path.write_text("#" * (256 * 1024 + 1))
    assert refusal(path) == (
        f"{path} is larger than a scenario may be.",
        "Keep it within 256 KiB.",
    )


def test_not_utf_8(tmp_path):
    path = tmp_path / "my.toml"
    path.write_bytes(b"# one\n# two\n# \xb1\xdb\n")
    assert refusal(path) == (f"{path}:3: This is not UTF-8.", "Save the file as UTF-8.")


@pytest.mark.parametrize(
    "text",
    [
        "a" + ".a" * 100_000 + " = 1",
        "x = " + "[" * 5000,
        "x = " + "9" * 5000,
        "x = 0x" + "f" * 5000,
        "repeat = 2026-99-99",
    ],
)
def test_what_tomllib_stumbles_over_is_a_mistake_like_others(tmp_path, text):
    path = tmp_path / "my.toml"
    path.write_text(text)
    what, _remedy = refusal(path)
    assert what.startswith(f"{path}:1: ")


def test_the_largest_file_is_found_wrong_in_seconds(tmp_path):
    """No search for the line of a mistake may go on without end."""
    path = tmp_path / "my.toml"
    array = "x = [\n" + '  "an element that takes a line",\n' * 7000 + "]\n"
    path.write_text(array)
    with pytest.raises(ScenarioError) as caught:
        read(str(path))
    assert caught.value.line == 1
