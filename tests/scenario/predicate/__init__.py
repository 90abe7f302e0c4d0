"""The predicate language."""
