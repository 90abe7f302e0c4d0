"""Values to pictures and words: ladders, SVG, JSON, sentences in the language of the reader."""
