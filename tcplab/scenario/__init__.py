"""A run written down as data: the calls of the applications, the acts of the wire, and the
waits.
"""
