"""Bid on every posting at most once, across a fleet."""
