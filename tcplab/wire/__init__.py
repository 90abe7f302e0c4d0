"""Bytes and network cards: frames decoded and crafted, sockets that carry them, files that keep
them.
"""
