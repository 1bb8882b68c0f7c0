"""A marketplace that accepts bids over HTTP and counts duplicates."""
