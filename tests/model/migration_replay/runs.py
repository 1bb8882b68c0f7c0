"""What is replayed: scenarios that allow much at once, since a random run need not visit every state."""

from __future__ import annotations

from migration_model.configurations import CORE, FIVE, TWO
from migration_model.scenario import Scenario

from bidlock.modes import Role

MANY = 10_000
"""Tokens that may be drawn: no bound, for there is nothing to be exhausted."""

REPLAYED = (
    Scenario("replay: five modes", FIVE, tokens=True, grants=MANY, lost_replies=True, passes="inside"),
    Scenario("replay: a second controller", CORE, tokens=True, grants=MANY, second="any"),
    Scenario("replay: restarts, durable", CORE, tokens=True, grants=MANY, restarts=True, faults=2, start="primary"),
    Scenario("replay: seals", TWO, tokens=True, grants=MANY, restarts=True, durable=False, seals=2, faults=2, start="primary"),
    Scenario("replay: neither durable nor sealed", CORE, restarts=True, durable=False, accepts=True, faults=2),
    Scenario("replay: wipes, losses accepted", CORE, wipes=True, accepts=True, faults=3, second="any", start="primary"),
    Scenario("replay: an older copy", ("primary", "only"), tokens=True, grants=MANY, older_copy="recorded", faults=2),
    Scenario("replay: two buckets", CORE, buckets=2, restarts=True, wipes=True, faults=3),
    Scenario("replay: a lost register", CORE, lost_register=True, wipes=True, faults=3, second="any"),
    Scenario("replay: a replaced file", ("dual", "strict"), replaced_file=True, start="strict", authority=Role.TARGET),
    Scenario("replay: original bots, fenced", CORE, bots="fence"),
    Scenario("replay: original bots, bare", CORE, bots="bare"),
    Scenario("replay: courtesies", CORE, marks=True, start="primary"),
)
