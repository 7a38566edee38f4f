"""The guard around every connection: budget, deadline, breaker, retries, and creates that never double."""

from kernel.problem import NeedsPerson
from system_apis.guard.breaker import Breaker
from system_apis.guard.budget import Budget
from system_apis.guard.budget_local import LocalBudget
from system_apis.guard.budget_postgres import SharedBudgets
from system_apis.guard.guard import Guard, NoCapability
from system_apis.guard.journal import Journal
from system_apis.guard.outbound_write import State

__all__ = ["Breaker", "Budget", "Guard", "Journal", "LocalBudget", "NeedsPerson", "NoCapability", "SharedBudgets", "State"]
