"""Real Redis and Valkey servers for tests, and the harness through which the conformance kit drives them."""
