"""The installed command, and `python -m tcplab`."""

import signal


def main() -> None:
    """Run the command line. Until it minds Ctrl-C itself, that ends it at once, without a word."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from tcplab.cli import main as run

    run()


if __name__ == "__main__":
    main()
