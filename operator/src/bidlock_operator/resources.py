"""Names under which the operator's resource lives in Kubernetes."""

from __future__ import annotations

from typing import NamedTuple


class Resource(NamedTuple):
    """A kind of object, as the API server knows it.

    Attributes:
        group: API group.
        version: Version of the group.
        kind: As in `kind:` of a manifest.
        plural: As in the API's paths.
        short: As `kubectl get` accepts it; empty for none.
    """

    group: str
    version: str
    kind: str
    plural: str
    short: str = ""

    @property
    def api_version(self) -> str:
        """As in `apiVersion:` of a manifest."""
        return f"{self.group}/{self.version}"

    @property
    def crd(self) -> str:
        """Name of the CustomResourceDefinition."""
        return f"{self.plural}.{self.group}"


GROUP = "bidlock.io"
POLICY = Resource(GROUP, "v1alpha1", "BidLockPolicy", "bidlockpolicies", "blp")
FINALIZER = f"{GROUP}/finalizer"
"""On a policy while something outside it must be tidied before it may go."""
