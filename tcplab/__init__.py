"""tcplab: see TCP, with the state that both kernels really had beside every segment."""

__version__ = "0.1.0"
