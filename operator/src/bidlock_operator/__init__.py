"""Kubernetes operator for bidlock fleets."""
