"""The questions, in the order of their answers."""

from bidlock_bench.rows.crowds import LATENCY, ONE_POSTING, ONE_TASK, THOUSAND_TASKS
from bidlock_bench.rows.durable import SQLITE
from bidlock_bench.rows.memory import MEMORY
from bidlock_bench.rows.processes import FOUR_PROCESSES, HAND_OFF
from bidlock_bench.stage import Workload

WORKLOADS: tuple[Workload, ...] = (ONE_POSTING, ONE_TASK, THOUSAND_TASKS, LATENCY, SQLITE, MEMORY, FOUR_PROCESSES, HAND_OFF)
