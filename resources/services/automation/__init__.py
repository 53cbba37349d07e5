"""Automation: schedules and scaling rules, the moments at which they act, and the workers that act."""

from resources.services.automation import scaling_rules
from resources.services.automation.readings import run as run_scaling_rules
from resources.services.automation.scaling_ticks import RUN as RUN_SCALING_RULES
from resources.services.automation.scaling_ticks import tick as scaling_tick
from resources.services.automation.schedules import (
    InvalidSchedule,
    Wanted,
    arm,
    create,
    delete,
    edit,
    override,
    pause,
    try_out,
)
from resources.services.automation.slots import RUN, run
from resources.services.automation.ticks import tick

__all__ = [
    "RUN",
    "RUN_SCALING_RULES",
    "InvalidSchedule",
    "Wanted",
    "arm",
    "create",
    "delete",
    "edit",
    "override",
    "pause",
    "run",
    "run_scaling_rules",
    "scaling_rules",
    "scaling_tick",
    "tick",
    "try_out",
]
