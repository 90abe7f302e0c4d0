from tcplab.analysis.trace import joint_trace

from .ladder import DATA, OPEN, ladder


def lines(text):
    return [line.split("  ")[0] for line in joint_trace(ladder(text)).splitlines()]


def test_numbers_are_relative():
    assert lines(OPEN + DATA)[-2:] == [
        "client > server [PSH, ACK] seq 1 ack 1 len 20",
        "server > client [ACK] seq 1 ack 21",
    ]


def test_numbers_of_an_earlier_connection_are_foreign():
    told = lines("""
        client S                        | SYN-SENT     ESTABLISHED
        server A seq=-300000 ack=-200000  | SYN-SENT     ESTABLISHED
        client R seq=-200000            | SYN-SENT     CLOSED
        client S seq=0                  | SYN-SENT     SYN-RECEIVED
        server SA seq=0 ack=1           | ESTABLISHED  SYN-RECEIVED
    """)
    assert told[1:] == [
        "server > client [ACK] seq foreign ack foreign",
        "client > server [RST] seq foreign",
        "client > server [SYN] seq 0",
        "server > client [SYN, ACK] seq 0 ack 1",
    ]


def test_forged_number_near_the_real_ones_is_told():
    forged = "client R seq=1021 fate=injected | ESTABLISHED ESTABLISHED"
    assert lines(OPEN + DATA + forged)[-1] == "client > server [RST] seq 1021 injected"
    old = "server PA seq=-5 ack=1 data=3 fate=injected | ESTABLISHED ESTABLISHED"
    assert lines(OPEN + DATA + old)[-1] == "server > client [PSH, ACK] seq -5 ack 1 len 3 injected"


def test_forged_number_far_away_is_foreign():
    told = lines("""
        client S fate=dropped                           | SYN-SENT     LISTEN
        server SA seq=353693317 ack=1001 fate=injected  | SYN-SENT     LISTEN
        client S seq=0                                  | SYN-SENT     SYN-RECEIVED
        server SA seq=0 ack=1                           | ESTABLISHED  SYN-RECEIVED
    """)
    assert told[1] == "server > client [SYN, ACK] seq foreign ack 1001 injected"
