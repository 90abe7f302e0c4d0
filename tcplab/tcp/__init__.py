"""The nouns of RFC 9293 as pure values: nothing here does I/O or knows what time it is."""
