"""Kubernetes operator for bidlock fleets: `kopf run -m bidlock_operator`, or `bidlock-operator`.

Importing the package registers its kopf handlers; that is what `kopf run -m` expects.
"""

from bidlock_operator import handlers

__all__ = ["handlers"]
