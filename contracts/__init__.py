"""Nouns and promises: what we mean, what a layer may ask of another, and what we promise to callers."""
