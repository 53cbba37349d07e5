"""What schedules and scaling rules have in common: both are plans that somebody makes, tries out, arms and pauses."""

from __future__ import annotations

from typing import Protocol, TypeVar

from accounts.models import User
from resources.models import ScalingRule, Schedule

P = TypeVar("P", Schedule, ScalingRule)
W_contra = TypeVar("W_contra", contravariant=True)


class Plans(Protocol[P, W_contra]):
    """What is done with plans of one kind. `wanted`: such a plan as somebody wants it. Whoever changes one owns it."""

    def create(self, *, wanted: W_contra, by: User) -> P: ...

    def edit(self, *, plan: P, wanted: W_contra, by: User) -> P: ...

    def arm(self, *, plan: P, by: User) -> P: ...

    def try_out(self, *, plan: P, by: User) -> P: ...

    def pause(self, *, plan: P, by: User) -> P: ...

    def delete(self, *, plan: P, confirm: str, by: User) -> None: ...
