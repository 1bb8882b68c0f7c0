"""What authors of backends and of bots test with: the conformance kit, a proxy that hurts, clocks that stand still.

Install it with the extra `testing`. `pytest --bidlock-backend=NAME` runs the kit against an installed backend; nothing
in here is imported by bidlock itself.
"""
