"""Many small segments at once: the probes of a SYN scan, and the answers to them."""
