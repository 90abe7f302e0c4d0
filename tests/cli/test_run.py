"""`tcplab run`: one scenario of the catalogue or of a file, the list, and the file itself."""

import re
from pathlib import Path

import pytest
from rich.cells import cell_len

from tcplab.scenario import catalogue
from tests.cli.conftest import Run
from tests.cli.shape import faults, one_of
from tests.cli.test_help import complete
from tests.cli.test_terminal import on_terminal, plain

ROOT = Path(__file__).parents[2]
NAMES = catalogue.names()
EXPECTING = "[[step]]\nexpect = {!r}\n"
HEAD = """\
title = { en = "A title", ko = "제목" }
story = { en = "A story.", ko = "이야기." }
notice = { en = "Notice.", ko = "눈여겨보기." }
unhurried = true
[[step]]
at = "client"
do = "connect"
within = 2.0
result = "ECONNREFUSED"
[[step]]
expect = "client.state == CLOSED"
"""
"""A closed port, which is expected."""


@pytest.fixture
def mine(tmp_path: Path) -> str:
    """A file in the directory in which `run` runs."""
    (tmp_path / "mine.toml").write_text(HEAD)
    return "mine.toml"


# --- one ----------------------------------------------------------------------------------------


def test_a_scenario_shows_its_story_its_ladder_its_findings_and_what_to_notice(run: Run):
    done = run("run", "simultaneous")
    assert (done.status, done.err) == (0, "")
    scenario = catalogue.load("simultaneous")
    words = " ".join(done.out.split())
    places = [
        words.index(each)
        for each in (str(scenario.title), str(scenario.story), "[SYN]", "CLOSING", "✔ Three-way")
    ]
    assert places == sorted(places)
    assert words.endswith(str(scenario.notice))


def test_the_same_in_korean(run: Run):
    done = run("run", "simultaneous", "--lang", "ko")
    assert done.status == 0
    assert "양쪽이 동시에 닫기" in done.out


@pytest.mark.parametrize("options", [(), ("-6",), ("--client", "crafted"), ("-v", "--seq", "both")])
def test_options_of_a_run(run: Run, options):
    done = run("run", "simultaneous", *options)
    assert (done.status, done.err) == (0, "")
    assert done.out.count("[FIN, ACK] seq") == 2
    assert ("2001:db8" in done.out) is ("-6" in options)


def test_json_is_a_timeline_that_names_the_scenario(run: Run):
    document = run("run", "simultaneous", "--json").document
    assert document["schema"] == "tcplab.timeline/1"
    assert document["command"] == ["run", "simultaneous", "--json"]
    assert document["scenario"] == "simultaneous"
    met = [event for event in document["events"] if event["kind"] == "expect"]
    assert [event["met"] for event in met] == [True] * len(met) != []


def test_files_are_kept(run: Run, tmp_path: Path):
    files = ("--save", "run.jsonl", "--pcap", "run.pcapng", "--svg", "run.svg")
    assert run("run", "simultaneous", *files).status == 0
    assert all((tmp_path / name).stat().st_size for name in files[1::2])


@pytest.mark.parametrize("prefix", ["", "./"])
def test_a_file_of_one_s_own(run: Run, mine, prefix):
    done = run("run", prefix + mine)
    assert (done.status, done.err) == (0, "")
    assert "A title" in done.out
    assert "connect() → ECONNREFUSED" in done.out


def test_a_file_without_the_ending_needs_a_slash(run: Run, mine, tmp_path: Path):
    (tmp_path / mine).rename(tmp_path / "mine")
    assert run("run", "./mine").status == 0
    assert run("run", "mine").status == 2


def test_an_expectation_that_fails_is_a_no_that_says_what_was_there_instead(
    run: Run, mine, tmp_path: Path
):
    with (tmp_path / mine).open("a") as file:
        file.write(EXPECTING.format("server.sent.rst == 7"))
    done = run("run", mine)
    assert (done.status, done.err) == (1, "")
    assert " ✘ Expected server.sent.rst == 7; instead server.sent.rst was 1." in done.out


@pytest.mark.parametrize("page", ["README.md", "docs/scenarios.md", "docs/scenarios.ko.md"])
def test_the_example_of_the_documentation_is_as_it_expects(run: Run, tmp_path: Path, page):
    (example,) = re.findall(
        r"<!-- example -->\n```toml\n(.*?)```\n<!-- end -->", (ROOT / page).read_text(), re.DOTALL
    )
    (tmp_path / "lost.toml").write_text(example)
    done = run("run", "lost.toml")
    assert (done.status, done.err) == (0, "")


# --- the list -----------------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["en", "ko"])
@pytest.mark.parametrize("columns", [60, 80, 140])
def test_the_list_has_every_scenario_in_order_one_line_each(run: Run, columns, language):
    done = run("run", "--list", "--lang", language, COLUMNS=str(columns))
    assert (done.status, done.err) == (0, "")
    lines = done.out.splitlines()
    assert [line.split()[0] for line in lines if line.startswith(" ")] == [*NAMES]
    shelves = [group for group in catalogue.groups() if group.scenarios]
    # Beside them only the groups' titles, and the empty lines between them.
    assert len(lines) == len(NAMES) + 2 * len(shelves) - 1
    assert max(map(cell_len, lines)) <= columns


def test_a_narrow_list_has_every_name_whole(run: Run):
    done = run("run", "--list", COLUMNS="40")
    assert set(NAMES) <= set(done.out.split())
    assert done.widest <= 40


def test_the_list_of_one_group(run: Run):
    done = run("run", "--list", "--group", "closing")
    names = [line.split()[0] for line in done.out.splitlines() if line.startswith(" ")]
    assert names == [name for name in NAMES if catalogue.group_of(name) == "closing"] != []


def test_the_list_for_machines(run: Run):
    done = run("run", "--list", "--json")
    assert (done.status, done.err) == (0, "")
    shape = {"name": str, "group": str, "title": str, "verdict": one_of(None)}
    assert not faults(done.document, {"schema": str, "scenarios": [shape]})
    assert done.document["schema"] == "tcplab.catalogue/1"
    assert [each["name"] for each in done.document["scenarios"]] == [*NAMES]


def test_the_list_in_ascii(run: Run):
    assert run("run", "--list", "--ascii").out.isascii()


def test_a_terminal_gets_the_list_in_its_own_width(tcplab_program: Path):
    written = plain(on_terminal(tcplab_program, "run", "--list", columns=60))
    assert max(map(cell_len, written.splitlines())) <= 60


# --- the file -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["three-way", "simultaneous"])
def test_show_prints_the_file_as_it_is(run: Run, name):
    done = run("run", name, "--show")
    assert (done.status, done.err) == (0, "")
    assert done.out == catalogue.text(name)


def test_show_prints_the_same_octets_wherever_they_go(run: Run):
    assert run("run", "three-way", "--show", LC_ALL="C").out == catalogue.text("three-way")


def test_what_is_shown_can_be_played(run: Run, tmp_path: Path):
    (tmp_path / "my.toml").write_text(run("run", "simultaneous", "--show").out)
    assert run("run", "my.toml").status == 0


def test_a_file_that_would_move_the_cursor_does_not(tcplab_program: Path, tmp_path: Path):
    (tmp_path / "evil.toml").write_text("# \x1b[31m\x07 \u202e\r\n# 둘\n")
    written = on_terminal(tcplab_program, "run", str(tmp_path / "evil.toml"), "--show")
    assert written == "# \\x1b[31m\\x07 \\u202e\n# 둘\n"


def test_a_broken_file_is_shown_too(run: Run, tmp_path: Path):
    (tmp_path / "my.toml").write_text("what is this?\n")
    assert run("run", "my.toml", "--show").out == "what is this?\n"


# --- completion ---------------------------------------------------------------------------------


def test_names_are_completed(run: Run):
    assert complete(run, "tcplab run simul") == ["simultaneous-open", "simultaneous"]
    assert complete(run, "tcplab run ") == [*NAMES]


def test_files_are_completed_where_no_scenario_begins_so(run: Run):
    assert complete(run, "tcplab run ./my") == ["file,./my"]


def test_groups_are_completed(run: Run):
    assert complete(run, "tcplab run --all --group clo") == ["closing"]


# --- mistakes -----------------------------------------------------------------------------------

LIST = "See their names: tcplab run --list"
OMIT = "Omit one of them."
TIMES = "Give --repeat a number, 1 to 1000."

MISTAKES = [
    ((), "No scenario is named.", LIST),
    (("--group", "opening"), "No scenario is named.", LIST),
    (("--repeat", "3"), "No scenario is named.", LIST),
    (("--show",), "No scenario is named.", LIST),
    (("",), "There is no scenario named ''.", None),
    (("simultaneos",), "There is no scenario named 'simultaneos'.", None),
    (("\x1b[31m",), r"There is no scenario named '\x1b[31m'.", None),
    (("../x",), "../x could not be read: No such file or directory.", None),
    (("./",), "./ is not a regular file.", None),
    (("/dev/null",), "/dev/null is not a regular file.", None),
    (("no.toml", "--show"), "no.toml could not be read: No such file or directory.", None),
    (
        ("abort", "--all"),
        "--all is about all scenarios, so it takes no NAME.",
        "Give NAME, or --all.",
    ),
    (
        ("abort", "--list"),
        "--list is about all scenarios, so it takes no NAME.",
        "Give NAME, or --list.",
    ),
    (("--list", "--all"), "--list and --all cannot be used together.", OMIT),
    (("--show", "--list"), "--list and --show cannot be used together.", OMIT),
    (("--show", "--all"), "--all and --show cannot be used together.", OMIT),
    (("abort", "--show", "--json"), "--json and --show cannot be used together.", OMIT),
    (("abort", "--show", "--repeat", "2"), "--repeat and --show cannot be used together.", OMIT),
    (("--list", "--repeat", "2"), "--repeat and --list cannot be used together.", OMIT),
    (("--list", "-6"), "-6 and --list cannot be used together.", OMIT),
    *(
        (("--all", *option), f"{option[0]} and --all cannot be used together.", OMIT)
        for option in (
            ("--save", "x"),
            ("--pcap", "x"),
            ("--svg", "x"),
            ("--seq", "both"),
            ("--force",),
            ("--trace",),
            ("--client", "kernel"),
        )
    ),
    (("--all", "-v"), "--verbose and --all cannot be used together.", OMIT),
    (
        ("abort", "--repeat", "2", "--save", "x"),
        "--save and --repeat cannot be used together.",
        OMIT,
    ),
    (
        ("abort", "--group", "resets"),
        "--group chooses among all scenarios.",
        "Add --list or --all, or omit --group.",
    ),
    (
        ("--all", "--group", "opend"),
        "There is no group named 'opend'.",
        "The groups are opening, closing, resets, silence, timers.",
    ),
    *(
        (("abort", "--repeat", times), f"--repeat cannot be {times!r}.", TIMES)
        for times in ("0", "-1", "1001", "1.5", "many", "", "9" * 5000, "٣")
    ),
]


@pytest.mark.parametrize(
    ("arguments", "what", "remedy"), MISTAKES, ids=lambda each: repr(each)[:40]
)
def test_two_lines_say_what_is_wrong_and_what_to_do(run: Run, arguments, what, remedy):
    done = run("run", *arguments)
    assert (done.status, done.out) == (2, "")
    said, advised, *more = done.err.split("\n")
    assert more == [""]
    assert said == f"tcplab: {what}"
    assert advised == f"  → {remedy}" if remedy else advised.startswith("  → ")
    assert all(each.isprintable() for each in done.err if each != "\n")


def test_the_nearest_name_is_told(run: Run):
    assert "simultaneous" in run("run", "simultaneos").err


def test_a_file_that_is_not_utf8_is_told_with_its_line(run: Run, tmp_path: Path):
    (tmp_path / "my.toml").write_bytes(b"# one\n# \xff\n")
    for more in ((), ("--show",)):
        done = run("run", "my.toml", *more)
        assert (done.status, done.out) == (2, "")
        assert done.err.startswith("tcplab: my.toml:2: ")


def test_a_mistake_in_a_file_is_told_with_its_line_and_the_right_word(
    run: Run, mine, tmp_path: Path
):
    with (tmp_path / mine).open("a") as file:
        file.write('[[step]]\nat = "client"\ndo = "recieve"\n')
    done = run("run", mine)
    assert (done.status, done.out, done.err.count("\n")) == (2, "", 2)
    assert done.err.startswith(f"tcplab: {mine}:14: ")
    assert "'recieve'" in done.err


@pytest.mark.parametrize("more", [(), ("--repeat", "2")])
def test_a_scenario_that_needs_kernel_sockets_refuses_a_crafted_client(
    run: Run, mine, tmp_path: Path, more
):
    with (tmp_path / mine).open("a") as file:
        file.write('[[step]]\nat = "client"\ndo = "error"\n')
    done = run("run", mine, "--client", "crafted", *more)
    assert (done.status, done.out) == (2, "")
    assert done.err == (
        "tcplab: mine needs a kernel at the client: a crafted one cannot do this: error.\n"
        "  → Omit --client crafted.\n"
    )
    assert run("run", mine, "--client", "kernel", *more).status == 0
