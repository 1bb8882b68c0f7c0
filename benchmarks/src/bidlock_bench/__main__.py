"""`python -m bidlock_bench`: the same as `bidlock bench`."""

import typer

from bidlock_bench.command import bench

typer.run(bench)
