"""Findings, from timelines that are written down as ladders."""
