"""The installed command, and `python -m tcplab`."""

import gc
import signal


def main() -> None:
    """Run the command line. Until it minds Ctrl-C itself, that ends it at once, without a word."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    # Importing makes many objects (Scapy and all that a handshake needs: 122,000) and no garbage.
    # Looking for some meanwhile costs 20 ms of 250.
    gc.set_threshold(200_000)
    from tcplab.cli import main as run

    try:
        run()
    finally:
        # All that is alive now ends with the process: without this the interpreter first looks
        # through it once more for garbage, for 20 ms, or 45 if Scapy is there.
        gc.freeze()


if __name__ == "__main__":
    main()
