"""Operations: asked for, decided on, carried out once, looked at until they are so, swept up when a worker is gone."""

from resources.services.operations.decisions import approve, cancel, reject
from resources.services.operations.here import carried_out
from resources.services.operations.sweeping import tick
from resources.services.operations.targets import Target, instance_target
from resources.services.operations.trail import refused as note_refusal
from resources.services.operations.turns import perform, run
from resources.services.operations.wishes import Bulk, Refused, request, request_many

__all__ = [
    "Bulk",
    "Refused",
    "Target",
    "approve",
    "cancel",
    "carried_out",
    "instance_target",
    "note_refusal",
    "perform",
    "reject",
    "request",
    "request_many",
    "run",
    "tick",
]
