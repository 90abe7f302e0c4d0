"""Disposable hosts, and what it takes to make them."""
