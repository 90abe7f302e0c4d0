from tcplab.tcp.sending import Piece, Sending
from tcplab.tcp.sequence import MODULUS, Seq

ISS = Seq(MODULUS - 2)


def established(wnd=1000):
    sending = Sending(ISS, 100)
    sending.sent(1)
    sending.acknowledge(ISS + 1)
    sending.set_window(Seq(0), ISS + 1, wnd)
    return sending


def test_fin_needs_a_number_of_the_window():
    sending = established(wnd=3)
    sending.enqueue(b"abc")
    sending.fin = True
    assert sending.piece() == Piece(payload=b"abc", push=True, fin=False)
    sending.set_window(Seq(0), ISS + 1, 4)
    assert sending.piece() == Piece(payload=b"abc", push=True, fin=True)


def test_nothing_follows_the_fin():
    sending = established()
    sending.fin = True
    assert sending.piece() == Piece(payload=b"", push=False, fin=True)
    sending.sent(1)
    assert sending.piece() is None


def test_fin_is_acknowledged_by_the_number_after_it():
    sending = established()
    sending.enqueue(b"ab")
    sending.fin = True
    sending.sent(3)
    sending.acknowledge(ISS + 3)
    assert (sending.fin_acknowledged, sending.pending) == (False, True)
    sending.acknowledge(ISS + 4)
    assert (sending.fin_acknowledged, sending.pending) == (True, False)


def test_after_a_loss_everything_is_sent_again_from_the_first():
    sending = established()
    sending.enqueue(bytes(150))
    assert sending.sent(sending.piece().len_octets)
    assert sending.sent(sending.piece().len_octets)
    sending.go_back()
    assert sending.piece() == Piece(payload=bytes(100), push=False, fin=False)
    assert not sending.sent(100)
    assert (sending.cursor, sending.nxt) == (ISS + 101, ISS + 151)


def test_ack_of_what_was_to_be_sent_again_is_believed():
    sending = established()
    sending.enqueue(bytes(150))
    sending.sent(150)
    sending.go_back()
    assert sending.acknowledge(ISS + 151) == 150
    assert (sending.cursor, sending.pending) == (ISS + 151, False)


def test_older_ack_is_ignored():
    sending = established()
    sending.enqueue(bytes(150))
    sending.sent(150)
    sending.acknowledge(ISS + 101)
    assert (sending.acknowledge(ISS + 51), sending.una) == (0, ISS + 101)
