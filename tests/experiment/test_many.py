"""Many runs at once: each in a process of its own, none of which is left behind."""

import os
import signal
import subprocess
import sys
import time
from contextlib import closing, suppress
from pathlib import Path

import pytest

from tcplab.errors import Exit, TcplabError, UnavailableError
from tcplab.experiment.child import Child
from tcplab.experiment.many import longest_s, play_many
from tcplab.experiment.outcome import Crashed, Died, Failed, Played
from tcplab.scenario.calls import Accept, Listen
from tcplab.scenario.steps import At, Pause, Quiet, Scenario
from tcplab.text import Text
from tests.links import until
from tests.render import samples

TIMELINE = next(iter(samples.ALL.values()))()


def scenario(name: str, *, timed: bool = False, steps=()) -> Scenario:
    return Scenario(
        name=name, title=Text(name), story=Text(""), notice=Text(""), steps=steps, timed=timed
    )


def outcomes(play, *scenarios: Scenario):
    return [(each.name, outcome) for each, outcome in play_many(scenarios, play, cores=2)]


def exists(pid: int) -> bool:
    """Is the process there, and no zombie?"""
    with suppress(OSError):
        return ") Z" not in Path(f"/proc/{pid}/stat").read_text()
    return False


def test_a_timeline_comes_back_whole():
    assert outcomes(lambda _: TIMELINE, scenario("a")) == [("a", Played(TIMELINE))]


def test_every_one_is_played_as_often_as_it_is_named():
    made = [scenario(str(n % 5), timed=bool(n % 2)) for n in range(40)]
    names = [name for name, _outcome in outcomes(lambda _: TIMELINE, *made)]
    assert sorted(names) == sorted(each.name for each in made)


def test_each_has_a_process_of_its_own():
    def play(_scenario):
        raise TcplabError(Text("{pid}", pid=os.getpid()), remedy=Text(""))

    played = outcomes(play, *(scenario(str(n)) for n in range(6)))
    pids = {str(outcome.what) for _name, outcome in played}
    assert len(pids) == 6
    assert str(os.getpid()) not in pids


def test_an_error_comes_back_with_its_words_and_its_status():
    def play(_scenario):
        name = Text("the {host} one", host="server")
        raise UnavailableError(Text("{n} of {name}.", n=3, name=name), remedy=Text("Wait."))

    assert outcomes(play, scenario("a")) == [
        (
            "a",
            Failed(
                what=Text("{n} of {name}.", n=3, name=Text("the {host} one", host="server")),
                remedy=Text("Wait."),
                status=Exit.UNAVAILABLE,
            ),
        )
    ]


def test_a_bug_comes_back_as_its_traceback():
    def play(_scenario):
        return 1 // 0

    ((_name, outcome),) = outcomes(play, scenario("a"))
    assert isinstance(outcome, Crashed)
    assert outcome.traceback.startswith("Traceback")
    assert "ZeroDivisionError" in outcome.traceback


def test_a_process_that_dies_says_which_signal_it_was_and_harms_no_other():
    def play(played):
        if played.name == "a":
            os.kill(os.getpid(), signal.SIGKILL)
        return TIMELINE

    played = dict(outcomes(play, scenario("a"), scenario("b")))
    assert isinstance(played["a"], Died)
    assert str(played["a"].why) == "The process that played it was ended by SIGKILL."
    assert played["b"] == Played(TIMELINE)


def test_a_process_that_says_nothing_is_told_from_one_that_played():
    ((_name, outcome),) = outcomes(lambda _: os._exit(0), scenario("a"))
    assert outcome == Died(Text("The process that played it ended without an answer."))


def test_a_hung_process_is_ended_after_its_scenario_s_own_waits(monkeypatch):
    monkeypatch.setattr("tcplab.experiment.many._MARGIN_S", 0.2)
    ((_name, outcome),) = outcomes(lambda _: time.sleep(300), scenario("a"))
    assert outcome == Died(Text("It had not ended after {seconds} s.", seconds=0))


def test_its_waits_are_added_up():
    steps = (
        At(host="server", call=Listen()),
        At(host="server", call=Accept(within_s=2.0)),
        At(host="server", call=Accept()),
        Pause(1.5),
        Quiet(seconds=0.1, within_s=3.0),
    )
    assert longest_s(scenario("a", steps=steps)) == 6.5


def under_way(played: Scenario, log: Path) -> None:
    """Tell that the run has begun, and wait for the others: they must come."""
    with log.open("a") as file:
        file.write(f"{played.name}\n")
    until(lambda: len(log.read_text().splitlines()) >= 6)


def test_those_that_sleep_run_at_the_same_time(tmp_path: Path):
    """Each waits until six have begun: one after another they would not get there."""
    log = tmp_path / "log"
    log.touch()

    def play(played):
        under_way(played, log)
        return TIMELINE

    made = [scenario(str(n), timed=True) for n in range(6)]
    ended = [outcome for _name, outcome in play_many(made, play, cores=1)]

    assert ended == [Played(TIMELINE)] * 6


def test_closing_ends_those_under_way(tmp_path: Path):
    def play(played):
        (tmp_path / str(os.getpid())).touch()
        if played.name != "0":
            time.sleep(300)
        return TIMELINE

    made = [scenario(str(n), timed=True) for n in range(4)]
    with closing(play_many(made, play, cores=1)) as playing:
        next(playing)
        until(lambda: len(os.listdir(tmp_path)) == 4)
    assert [pid for pid in os.listdir(tmp_path) if Path(f"/proc/{pid}").exists()] == []


PARENT = """
import os, time
from tcplab.experiment.child import Child
from tcplab.testbed.netns import enter_user_namespace

def work():
    enter_user_namespace()
    os.write(1, b"%d\\n" % os.getpid())
    time.sleep(300)

for _ in range(3):
    Child(work)
time.sleep(300)
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_children_die_with_their_parent_in_namespaces_too(number):
    """The kernel forgets PR_SET_PDEATHSIG where a process gains privilege: not in this case."""
    with subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE) as parent:
        children = [int(parent.stdout.readline()) for _ in range(3)]
        assert all(map(exists, children))
        parent.send_signal(number)
        until(lambda: not any(map(exists, children)))


def test_ctrl_c_at_the_terminal_is_the_parent_s_to_deal_with():
    def work():
        os.kill(os.getpid(), signal.SIGINT)
        return b"still here"

    child = Child(work)
    until(child.hear)
    assert child.end() == (b"still here", 0)


def test_a_long_answer_is_heard_while_it_is_written():
    child = Child(lambda: b"x" * 3_000_000)
    until(child.hear)
    assert child.end() == (b"x" * 3_000_000, 0)


def test_killing_an_ended_child_does_nothing():
    child = Child(bytes)
    until(child.hear)
    child.end()
    child.kill()
