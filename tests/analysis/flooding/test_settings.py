"""A flood as it is asked for."""

import pytest

from tcplab.analysis.flooding.settings import Cookies, FloodSettings


@pytest.mark.parametrize(
    "asked",
    [
        {"frames": 0},
        {"frames": 20_001},
        {"seconds": 0.0},
        {"seconds": 10.5},
        {"backlog": 0},
        {"max_syn_backlog": 0},
        {"backlog": 65_536},
        {"rate_limit_pps": 0},
        {"version": 5},
    ],
    ids=lambda asked: "-".join(f"{name}={value}" for name, value in asked.items()),
)
def test_what_is_out_of_bounds_cannot_be_asked_for(asked):
    with pytest.raises(ValueError):
        FloodSettings(**asked)


def test_the_sysctl_of_each_setting():
    assert [each.sysctl for each in Cookies] == [0, 1, 2]


@pytest.mark.parametrize(
    ("backlog", "max_syn_backlog", "room"),
    [(16, 16, 12), (16, 256, 16), (128, 16, 12), (4096, 2048, 1536), (1, 1, 1)],
)
def test_room_is_the_backlog_or_three_quarters_of_the_syn_backlog(backlog, max_syn_backlog, room):
    settings = FloodSettings(backlog=backlog, max_syn_backlog=max_syn_backlog)

    assert settings.room == room


def test_three_seconds_are_fifteen_tries():
    assert FloodSettings().tries == 15
    assert FloodSettings(seconds=0.1).tries == 1


def test_the_defences_are_off_on_always_and_a_limited_rate():
    defences = FloodSettings(cookies=Cookies.ON, rate_limit_pps=None).defences()

    assert [(each.cookies, each.rate_limit_pps) for each in defences] == [
        (Cookies.OFF, None),
        (Cookies.ON, None),
        (Cookies.ALWAYS, None),
        (Cookies.OFF, 1),
    ]


def test_a_limit_that_was_asked_for_is_kept_for_the_last_defence_alone():
    defences = FloodSettings(rate_limit_pps=50).defences()

    assert [each.rate_limit_pps for each in defences] == [None, None, None, 50]


def test_at_a_bearable_rate_no_more_pass_in_the_longest_watch_than_there_is_room_for():
    for backlog in (16, 100, 4096):
        settings = FloodSettings(backlog=backlog, max_syn_backlog=backlog)
        assert settings.bearable_pps * 11 <= settings.room or settings.bearable_pps == 1
