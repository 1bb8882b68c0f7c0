"""A policy's conditions: what they are, and how they follow from what was seen. Pure."""

from bidlock_operator.conditions.deriving import derive, merged
from bidlock_operator.conditions.facts import Facts
from bidlock_operator.conditions.headline import STOPPING
from bidlock_operator.conditions.values import Condition, ConditionType, Status, drop_condition, set_condition

__all__ = ["STOPPING", "Condition", "ConditionType", "Facts", "Status", "derive", "drop_condition", "merged", "set_condition"]
