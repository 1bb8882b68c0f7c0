"""A thin client of the Kubernetes API: requests and answers are plain objects, every failure has a type."""
