"""Carry out one decided action, conditionally, on one object. The room is empty: this version changes nothing."""
