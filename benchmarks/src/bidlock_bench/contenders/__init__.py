"""Everybody who takes part: bidlock, its peers, the original bot's algorithm, and the raw floor."""
