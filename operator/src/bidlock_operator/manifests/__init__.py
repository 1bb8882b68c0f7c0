"""Children of a policy as pure functions from spec to manifest. The room is empty: this version creates nothing."""
