"""A policy's children as pure functions from what is asked for to manifests, ready for server-side apply.

Nothing here looks anywhere: what was observed (the mode to run, the values of generated secrets) is passed in, so that
the same values give the same manifests, and an unchanged child costs no write.
"""
