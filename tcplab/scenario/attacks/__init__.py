"""Attacks on a live connection by a third host on the same wire, as scenarios for `tcplab reset`.

Two real kernels hold the connection. The attacker hears every frame of it and sends segments in the
name of one end. Such a scenario disrupts, so it is played in a testbed of tcplab's own or not at
all (`tcplab.scenario.tier`).
"""
