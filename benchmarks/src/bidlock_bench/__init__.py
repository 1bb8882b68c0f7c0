"""How fast bidlock is, against its peers and the raw floor."""
