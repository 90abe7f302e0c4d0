"""How a command ends: every outcome becomes an exit status, every error two lines on stderr."""

import os
import signal
import sys
from collections.abc import Callable

import click

from tcplab.errors import Exit, TcplabError, UnavailableError, UsageError
from tcplab.text import Say, Text, verbatim

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_SOON_S = 0.02
_received: list[int] = []


def exit_status_of(command: Callable[[], object], say: Say) -> int:
    """Run `command` and return the status to end with.

    A command returns its status, or None for success. Whoever reads our output may stop reading
    (`| head`): that ends it quietly.
    """
    try:
        status = command()
        sys.stdout.flush()
    except click.exceptions.Exit as ended:
        return ended.exit_code
    except (KeyboardInterrupt, click.Abort):
        return interrupted()
    except click.UsageError as mistake:
        tell(_usage(mistake), say)
        return Exit.USAGE
    except TcplabError as error:
        tell(error, say)
        return error.status
    except SystemExit:
        # click's and rich's answer to a reader who is gone; also click's end of a completion.
        _silence(1)
        return Exit.DONE
    except Exception as failure:  # a bug, or standard output: told, never swallowed
        return _failed(failure, say)
    return status if isinstance(status, int) else Exit.DONE


def last_status_of(command: Callable[[], object], say: Say) -> int:
    """The same for a process that is about to end: no signal changes the status any more.

    The interpreter gives signals their first meaning back before it is gone, and one that came then
    would kill it. So they are ignored (blocked they would reach a thread that still closes
    something); but not before the output is where it belongs, which may take a reader who does not
    read.
    """
    status: int | None = None
    hurried = False
    while True:
        try:
            if hurried:
                status = interrupted()
                _silence(1)
            elif status is None:
                status = exit_status_of(command, say)
            _flush()
            for number in (*_SIGNALS, signal.SIGALRM):
                signal.signal(number, signal.SIG_IGN)
        except KeyboardInterrupt:
            hurried = True  # and nothing else here: the next one may come at any time
        else:
            return status


def _flush() -> None:
    """Let nothing of standard output wait for the interpreter's last flush."""
    try:
        sys.stdout.flush()
    except OSError:
        _silence(1)


def _failed(failure: Exception, say: Say) -> int:
    """The status after an exception that is no error of ours: a signal's, standard output's, a bug.

    Before Python 3.12 an import may wrap what a signal raised in the midst of it.
    """
    if _received and _comes_of_interrupt(failure):
        return interrupted()
    if isinstance(failure, FileNotFoundError) and not os.path.exists("/proc/self"):
        tell(
            UnavailableError(
                Text("/proc is not mounted, and that is where much of the kernel is asked."),
                remedy=Text("As root: mount -t proc proc /proc"),
            ),
            say,
        )
        return Exit.UNAVAILABLE
    refusal = _refusal_by_stdout() if isinstance(failure, OSError) else None
    if refusal is None:
        _report_bug(say)
        return Exit.BUG
    _silence(1)
    if isinstance(refusal, BrokenPipeError):
        return Exit.DONE
    why = os.strerror(refusal.errno or 0)
    tell(
        UsageError(
            Text("Standard output could not be written: {why}.", why=why),
            remedy=Text("Send it where there is room for it."),
        ),
        say,
    )
    return Exit.USAGE


def _comes_of_interrupt(failure: BaseException) -> bool:
    """Was it raised from a KeyboardInterrupt, or while one was on its way?"""
    seen: set[int] = set()
    at: BaseException | None = failure
    while at is not None and id(at) not in seen:
        if isinstance(at, KeyboardInterrupt):
            return True
        seen.add(id(at))
        at = at.__cause__ or at.__context__
    return False


def _refusal_by_stdout() -> OSError | None:
    """What standard output says to one line more."""
    try:
        sys.stdout.flush()
        os.write(1, b"\n")
    except OSError as refusal:
        return refusal
    return None


def open_closed_streams() -> None:
    """Give a standard stream that was closed (`>&-`) to /dev/null.

    Else the next socket would get its number, and hear what is printed.
    """
    while (number := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass
    os.close(number)
    for number, name in ((1, "stdout"), (2, "stderr")):
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(number, "w", encoding="utf-8"))


def heed_signals() -> None:
    """Let SIGTERM and SIGHUP end a run as Ctrl-C does: shown, saved, nothing left behind.

    A signal that this process was started to ignore (nohup) stays ignored.
    """
    for number in _SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _interrupt)
    signal.signal(signal.SIGALRM, _interrupt_again)
    sys.unraisablehook = _put_off


def finish() -> None:
    """From here on a first signal waits until what was seen is shown and saved; a second does not.

    The second is for a reader who does not read (`| less`).
    """
    for number in _SIGNALS:
        if signal.getsignal(number) is _interrupt:
            signal.signal(number, _wait)


def _interrupt(number: int, _frame: object) -> None:
    _received.append(number)
    raise KeyboardInterrupt


def _put_off(swallowed: "sys.UnraisableHookArgs") -> None:
    """A signal came where nobody may raise (in a callback during an import): raise it soon, but
    not in here, even if this process gets no processor for a while.
    """
    if isinstance(swallowed.exc_value, KeyboardInterrupt):
        signal.setitimer(signal.ITIMER_REAL, _SOON_S)
    else:
        sys.__unraisablehook__(swallowed)


def _interrupt_again(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt


def _wait(number: int, frame: object) -> None:
    if _received:
        _interrupt(number, frame)
    _received.append(number)


def is_interrupted() -> bool:
    """Did a signal come?"""
    return bool(_received)


def interrupted() -> int:
    """The status of a run that a signal ended: 128 and the signal's number."""
    return 128 + _received[0] if _received else Exit.INTERRUPTED


def tell(error: TcplabError, say: Say) -> None:
    """What is wrong, and what to do: two lines, and harmless ones, for they may quote anything."""
    from tcplab.render.harmless import harmless

    _on_stderr(f"tcplab: {harmless(say(error.what))}\n  → {harmless(say(error.remedy))}")


def remark(text: Text, say: Say) -> None:
    """One line beside the result, for whoever waits for it."""
    from tcplab.render.harmless import harmless

    _on_stderr(harmless(say(text)))


def _on_stderr(lines: str) -> None:
    from tcplab.cli.terminal import plain
    from tcplab.render.harmless import plain as in_ascii

    try:
        print(in_ascii(lines) if plain(sys.stderr) else lines, file=sys.stderr, flush=True)
    except OSError:  # nobody can be told; the status says it too
        _silence(2)


def _usage(mistake: click.UsageError) -> UsageError:
    """What click found wrong, in its own words."""
    where = mistake.ctx.command_path if mistake.ctx is not None else "tcplab"
    return UsageError(
        verbatim(mistake.format_message()),
        remedy=Text("See {command}.", command=f"{where} --help"),
    )


def _report_bug(say: Say) -> None:
    import traceback

    traceback.print_exc()
    tell(
        TcplabError(
            Text("This is a bug in tcplab, not a mistake of yours."),
            remedy=Text("Please report it with the lines above."),
        ),
        say,
    )


def _silence(number: int) -> None:
    """Nobody reads that stream any more: let the interpreter's last flush go nowhere."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, number)
    os.close(nowhere)
