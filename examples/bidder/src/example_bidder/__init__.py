"""A small, complete bidding bot to copy."""
