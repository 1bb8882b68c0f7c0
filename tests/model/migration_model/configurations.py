"""The configurations: what may happen in each, and what is expected. `make model` runs all of them, tests those not large."""

from __future__ import annotations

from migration_model.scenario import GAP, MUTEX, ONCE, TOKEN, Scenario

from bidlock.modes import MODES, Role

FIVE = tuple(MODES)
CORE = ("dual", "strict", "primary")
TWO = ("strict", "primary")
SAFE = (MUTEX, ONCE, TOKEN)

CONFIGURATIONS = (
    Scenario("five modes, any attempt at any time", FIVE),
    Scenario("tokens", CORE, tokens=True, grants=2),
    Scenario("lost replies, stores out of reach", CORE, lost_replies=True, partition=True),
    Scenario("markers of courtesy", CORE, marks=True),
    Scenario("a second controller", TWO, second="idle", late=("Open", "Copy", "Authorise")),
    Scenario("restarts, durable", TWO, restarts=True, start="primary"),
    Scenario("restarts, durable, tokens", TWO, restarts=True, start="primary", slots=1, tokens=True, grants=2),
    Scenario("restarts, sealed", ("primary",), restarts=True, durable=False, seals=2, faults=2),
    Scenario("restarts, sealed during a transition", ("primary", "only"), restarts=True, durable=False, seals=1, slots=1),
    Scenario("restarts, sealed, a second controller", ("primary",), restarts=True, durable=False, seals=1, second="idle", slots=1),
    Scenario("restarts, neither durable nor sealed", TWO, restarts=True, durable=False, start="strict", slots=1),
    Scenario("wipe", TWO, wipes=True),
    Scenario("wipe, a second controller", TWO, wipes=True, second="idle", late=("Bless", "Authorise", "Copy", "Incarnate"), slots=1),
    Scenario("stale failover, lost replies", TWO, restarts=True, lost_replies=True, start="primary", slots=1, faults=2),
    Scenario("an older copy, its counter recorded", ("primary",), older_copy="recorded", tokens=True, grants=4),
    Scenario("an older copy, newer than the record", ("primary",), older_copy="unrecorded", tokens=True, checks=(ONCE,), expect=ONCE),
    Scenario("an accepted loss", TWO, wipes=True, accepts=True, start="primary"),
    Scenario("an accepted loss, then back", CORE, wipes=True, accepts=True, start="primary", slots=1),
    Scenario("two accepted losses", ("primary",), wipes=True, accepts=True, faults=2),
    Scenario("an accepted stale copy", ("primary",), restarts=True, durable=False, accepts=True),
    Scenario("two buckets", TWO, buckets=2, slots=2, start="strict"),
    Scenario("two buckets, one attempt, wipes", TWO, buckets=2, slots=1, wipes=True),
    Scenario("passing on inside a process", TWO, passes="inside", pass_modes=True),
    Scenario("passing on inside a process, tokens", TWO, passes="inside", tokens=True),
    Scenario("passing on to another process", TWO, passes="across"),
    Scenario("passing on to another process, tokens", TWO, passes="across", tokens=True),
    Scenario("a lost register", TWO, lost_register=True),
    Scenario("a lost register, one attempt, three modes, twice", CORE, lost_register=True, slots=1, faults=2),
    Scenario("a lost register and a wipe", TWO, lost_register=True, wipes=True, faults=2, slots=1),
    Scenario("a lost register, a second controller", TWO, lost_register=True, second="idle", late=("Open", "Copy", "Authorise"), slots=1),
    Scenario("a replaced SQLite file", ("dual", "strict"), replaced_file=True, start="strict", authority=Role.TARGET),
    Scenario("a replaced SQLite file, tokens", ("strict",), replaced_file=True, authority=Role.TARGET, tokens=True, grants=4),
    Scenario("original bots behind the trigger fence", CORE, bots="fence"),
    Scenario("original bots let in and shut out", CORE, bots="fence", lets=True, slots=1),
    Scenario("original bots let in and shut out, two attempts", TWO, bots="fence", lets=True, start="strict"),
    Scenario(
        "original bots let in and shut out, a second controller",
        TWO,
        bots="fence",
        lets=True,
        second="idle",
        late=("Open",),
        start="strict",
        slots=1,
    ),
    Scenario("original bots, bare: leases", TWO, start="strict", bots="bare", checks=(MUTEX,)),
    Scenario("original bots, bare: bids", CORE, bots="bare", checks=(ONCE,), expect=ONCE),
    Scenario("a file per pod: strict, primary and only", ("strict", "primary", "only"), per_pod=True, controller=False),
    Scenario("a file per pod: sqlite", ("sqlite",), per_pod=True, controller=False, checks=(MUTEX,), expect=MUTEX),
    Scenario("a file per pod: dual", ("dual",), per_pod=True, controller=False, checks=(MUTEX,), expect=MUTEX),
    Scenario("a file per pod: dual, bids", ("dual",), per_pod=True, controller=False, checks=(ONCE,), expect=ONCE),
)

LIVE_CONFIGURATIONS = (
    Scenario("live: a fleet is rolled", CORE, fleet=True, partition=True, checks=(*SAFE, GAP), live=True),
    Scenario("live: five modes", FIVE, fleet=True, slots=1, partition=True, checks=(*SAFE, GAP), live=True),
    Scenario("live: restarts, durable", TWO, fleet=True, slots=1, restarts=True, live=True),
    Scenario("live: wipes", CORE, fleet=True, slots=1, wipes=True, faults=2, live=True),
    Scenario("live: accepted losses", CORE, fleet=True, slots=1, wipes=True, accepts=True, faults=1, live=True),
    Scenario("live: seals", ("primary",), fleet=True, slots=1, restarts=True, durable=False, seals=2, live=True),
    Scenario("live: a lost register", CORE, fleet=True, slots=1, lost_register=True, live=True),
    Scenario("live: a replaced file", ("dual", "strict"), slots=1, replaced_file=True, start="strict", authority=Role.TARGET, live=True),
    Scenario("live: two buckets", TWO, fleet=True, slots=1, buckets=2, wipes=True, live=True),
)

LARGE = (
    Scenario("large: live, restarts, durable, twice", CORE, fleet=True, slots=1, restarts=True, faults=2, live=True),
    Scenario("large: live, seals", TWO, fleet=True, slots=1, restarts=True, durable=False, seals=2, live=True),
    Scenario("large: five modes, tokens", FIVE, tokens=True),
    Scenario("large: two restarts, durable, tokens", TWO, restarts=True, start="primary", faults=2, slots=1, tokens=True),
    Scenario("large: sealed during a transition", TWO, restarts=True, durable=False, seals=1, slots=1),
    Scenario("large: wipe, a second controller", TWO, wipes=True, second="idle", slots=1),
    Scenario("large: two buckets, one attempt, restarts and wipes", TWO, buckets=2, slots=1, restarts=True, wipes=True),
    Scenario("large: passing on inside a process, tokens", TWO, passes="inside", tokens=True, grants=4),
    Scenario("large: passing on to another process, tokens", TWO, passes="across", tokens=True, grants=4),
    Scenario("large: original bots, bare: leases", CORE, bots="bare", checks=(MUTEX,)),
    Scenario(
        "large: original bots let in and shut out, a second controller",
        CORE,
        bots="fence",
        lets=True,
        second="idle",
        late=("Open", "Close", "Authorise"),
        slots=1,
    ),
    Scenario("large: three attempts", CORE, slots=3),
    Scenario("large: a second controller, any time", CORE, second="any", slots=1),
    Scenario("large: a second controller, two modes", TWO, second="idle"),
    Scenario("large: neither durable nor sealed, two modes", TWO, restarts=True, durable=False, start="strict"),
    Scenario("large: a second controller, three modes", CORE, second="idle"),
    Scenario("large: neither durable nor sealed", CORE, restarts=True, durable=False),
    Scenario("large: wipe, three modes", CORE, wipes=True),
    Scenario("large: restarts and wipes, twice", TWO, restarts=True, wipes=True, faults=2, start="primary"),
    Scenario("large: a second controller, wipes", TWO, second="any", wipes=True, slots=1),
    Scenario("large: an accepted loss, then back", CORE, wipes=True, accepts=True, start="primary"),
    Scenario("large: two buckets", CORE, buckets=2),
    Scenario("large: passing on inside a process", CORE, passes="inside", pass_modes=True),
    Scenario("large: passing on to another process", CORE, passes="across", pass_modes=True),
    Scenario("large: a reserved token after a flip", CORE, passes="across", pass_modes=True, tokens=True, grants=4, slots=1, expect=TOKEN),
    Scenario("large: a lost register, a second controller", CORE, lost_register=True, second="idle", slots=1),
    Scenario("large: a lost register, three modes", CORE, lost_register=True),
    Scenario("large: seals, a second controller", TWO, restarts=True, durable=False, seals=1, second="idle", slots=1),
)
