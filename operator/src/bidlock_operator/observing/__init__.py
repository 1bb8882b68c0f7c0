"""Read the cluster into frozen values. Nothing in here writes."""
