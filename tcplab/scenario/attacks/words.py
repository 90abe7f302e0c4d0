"""What an attack says of itself: its title, its story, and what to notice."""

from tcplab.scenario.attacks.attack import Aim, Attack, Weapon
from tcplab.text import Text


def title(of: Attack) -> Text:
    """One line."""
    gaps = {"victim": _end(of.at), "aim": _aim(of.aim)}
    match of.weapon:
        case Weapon.RST:
            return Text("A forged RST at the {victim}: {aim}", **gaps)
        case Weapon.SYN:
            return Text("A forged SYN at the {victim}: {aim}", **gaps)
        case Weapon.FIN:
            return Text("A forged FIN at the {victim}: {aim}", **gaps)
        case Weapon.DATA:
            return Text("Forged data at the {victim}: {aim}", **gaps)
        case Weapon.HANDSHAKE if of.aim is Aim.BLIND:
            return Text("A connection in another host's name, opened blindly")
        case Weapon.HANDSHAKE:
            return Text("A connection in another host's name")


def story(of: Attack) -> Text:
    """Who does what."""
    if of.weapon is Weapon.HANDSHAKE:
        return _spoofing(of)
    gaps = {"victim": _end(of.at), "bearer": _end(of.bearer), "what": _segments(of)}
    if of.tls:
        return Text(
            "The client logs in at the server under TLS. An attacker on the same wire hears every "
            "frame, and sends {what} in the {bearer}'s name. Then the {victim}'s program reads; "
            "last the {bearer} speaks, which knows of nothing.",
            **gaps,
        )
    return Text(
        "The client logs in at the server: a live connection between two real kernels. An attacker "
        "on the same wire hears every frame, and sends {what} in the {bearer}'s name. Then the "
        "{victim}'s program reads; last the {bearer} speaks, which knows of nothing.",
        **gaps,
    )


def _spoofing(of: Attack) -> Text:
    if of.aim is Aim.BLIND:
        return Text(
            "The attacker sends a SYN in the client's name. It does not hear the server's SYN, "
            "ACK, which goes to the client, and must guess the number that its own ACK is to "
            "acknowledge."
        )
    return Text(
        "The client is silenced: it hears nothing and says nothing, as under a flood or unplugged. "
        "The attacker sends a SYN in its name, hears the server's SYN, ACK on the same wire, and "
        "goes on with the handshake."
    )


def notice(of: Attack) -> Text:
    """What to look at."""
    match of.weapon:
        case Weapon.RST:
            return _of_rst(of)
        case Weapon.SYN:
            return Text(
                "A SYN in the middle of a connection is never believed, whatever its number: the "
                "challenge ACK asks back, and only an end that has really lost the connection "
                "answers that with RST (RFC 5961 §4.2). The original TCP (RFC 793) reset the "
                "connection."
            )
        case Weapon.FIN:
            return _of_fin(of)
        case Weapon.DATA:
            return _of_data(of)
        case Weapon.HANDSHAKE if of.aim is Aim.BLIND:
            return Text(
                "Two things stop it. The client's kernel answers a SYN, ACK that it knows nothing "
                "of with RST; and were it silenced, the server's ISN would still be one of 2^32 "
                "(RFC 6528). In 1994, when ISNs could be foretold, such an attack succeeded."
            )
        case Weapon.HANDSHAKE:
            return Text(
                "An address proves nothing: whoever hears the answers can speak for it. What "
                "protects the server is that few can hear them, and that the address's owner, if "
                "it is alive, resets what it did not begin: compare --aim blind."
            )


def _of_rst(of: Attack) -> Text:
    if of.aim is Aim.EXACT and of.tls:
        return Text(
            "TLS protects what is said, not the connection that it is said on: the RST is TCP's, "
            "bears no signature, and is believed as without TLS. To the program it is ECONNRESET."
        )
    if of.aim is Aim.EXACT:
        return Text(
            "The RST has the very number that comes next, so it is believed, and the other end is "
            "left half-open until it speaks. An attacker who hears the connection always succeeds; "
            "TCP alone cannot tell. Now try --aim in-window."
        )
    if of.aim is Aim.IN_WINDOW:
        return Text(
            "The original TCP (RFC 793) believed any RST in the window. Since RFC 5961 it must "
            "have the exact number; others only get a challenge ACK, and at most one in "
            "tcp_invalid_ratelimit (500 ms). A true peer that has lost the connection would answer "
            "it with an exact RST."
        )
    return Text(
        "An RST outside the window is dropped without a word. A segment that cannot be accepted is "
        "answered with an ACK unless it is an RST (RFC 9293 §3.10.7.4): that may be an old one, "
        "and a peer that has really lost the connection needs no answer."
    )


def _of_fin(of: Attack) -> Text:
    if of.aim is Aim.EXACT and of.tls:
        return Text(
            "TLS notices: a session ends with close_notify, and a FIN without it is a truncation. "
            "The program reads an error, not the end of the data (RFC 8446 §6.1)."
        )
    if of.aim is Aim.EXACT:
        return Text(
            "The program takes the forged FIN for the peer's goodbye: end of file, no error. Only "
            "when the true sender goes on does the kernel see that something is wrong, and resets."
        )
    if of.aim is Aim.IN_WINDOW:
        return Text(
            "Out of order is not refused: the FIN waits in the queue, and takes effect when what "
            "was missing before it has come. RFC 5961 hardened RST and SYN against such guesses, "
            "but not FIN and data, where the ACK number must fit besides."
        )
    return _outside()


def _of_data(of: Attack) -> Text:
    if of.aim is Aim.EXACT and of.tls:
        return Text(
            "TCP takes the forged octets as any others, but no record of the session can be made "
            "without its key: TLS reports bad_record_mac, the program never sees them, and the "
            "session is dead. An attacker can still end it, and no more."
        )
    if of.aim is Aim.EXACT:
        return Text(
            "The program cannot tell forged octets from its peer's: the session is hijacked. The "
            "true sender's next octets have numbers that are taken, so they count as duplicates; "
            "and each end gets ACKs that make no sense to it, which once made an ACK storm. Add "
            "--tls to see what helps."
        )
    if of.aim is Aim.IN_WINDOW:
        return Text(
            "Out of order is not refused: the octets wait in the queue, and the program reads them "
            "right behind the true sender's as soon as the gap before them is filled. Where they "
            "came from, nobody asks any more."
        )
    return _outside()


def _outside() -> Text:
    return Text(
        "A segment with data or FIN outside the window is dropped, and answered with an ACK that "
        "says which number is next: it might be an honest peer that has lost its place. Such "
        "answers are not rate-limited."
    )


def _end(host: str) -> Text:
    return Text("client") if host == "client" else Text("server")


def _aim(aim: Aim) -> Text:
    match aim:
        case Aim.EXACT:
            return Text("the exact number")
        case Aim.IN_WINDOW:
            return Text("in the window, not exact")
        case Aim.OUTSIDE:
            return Text("outside the window")
        case Aim.BLIND:
            return Text("a guess")


def _segments(of: Attack) -> Text:
    """What is sent, and how often."""
    match of.weapon:
        case Weapon.RST:
            one = Text("an RST")
        case Weapon.SYN:
            one = Text("a SYN")
        case Weapon.FIN:
            one = Text("a FIN")
        case Weapon.DATA | Weapon.HANDSHAKE:
            one = Text("data of its own")
    return one if of.times == 1 else Text("{what} {times} times over", what=one, times=of.times)
