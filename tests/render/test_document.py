from tcplab.analysis.finding import Finding, Verdict
from tcplab.render.document import document
from tcplab.text import Text
from tcplab.timeline import encoding, timeline
from tcplab.timeline.events import CounterEvent
from tcplab.timeline.timeline import HostInfo, Stack, Timeline

RUN = Timeline(
    command=("handshake",),
    testbed=timeline.Testbed(kind="namespace", kernel="6.18.44", rootless=True),
    hosts=(HostInfo(name="client", ip="192.0.2.1", port=40123, stack=Stack.KERNEL),),
    events=(CounterEvent(i=0, at_ns=5, cause=None, host="client", name="TcpOutRsts", delta=1),),
    drops=2,
    tcplab="0.1.0",
)
PROVED = Finding(
    id="open.three-way",
    verdict=Verdict.YES,
    sentence=Text("It counts {octets} octets.", octets=5),
    events=(0,),
)


def shouted(text: Text) -> str:
    return str(text).upper()


def test_the_document_is_the_header_the_events_and_the_findings():
    assert document(RUN, [PROVED], str) == {
        **encoding.header(RUN),
        "events": [
            {
                "i": 0,
                "kind": "counter",
                "at_ns": 5,
                "host": "client",
                "name": "TcpOutRsts",
                "delta": 1,
                "cause": None,
            }
        ],
        "findings": [
            {
                "id": "open.three-way",
                "verdict": "yes",
                "sentence": "It counts 5 octets.",
                "events": [0],
            }
        ],
    }


def test_the_sentences_are_said_in_the_language_of_the_run():
    assert document(RUN, [PROVED], shouted)["findings"][0]["sentence"] == "IT COUNTS 5 OCTETS."


def test_the_document_has_the_keys_that_programs_read():
    keys = {"schema", "tcplab", "command", "scenario", "testbed", "hosts", "events", "findings"}
    assert keys | {"drops"} <= document(RUN, [], str).keys()
    assert document(RUN, [], str)["schema"] == "tcplab.timeline/1"
