"""Timelines: kept and given back."""
