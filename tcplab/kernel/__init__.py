"""What a kernel says of itself: sockets, counters, settings, tracepoints."""
