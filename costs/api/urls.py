from __future__ import annotations

from django.urls import path

from costs.api import costs, snapshots

urlpatterns = [
    path("/costs", costs.Costs.as_view()),
    path("/costs/summary", costs.CostSummary.as_view()),
    path("/costs/snapshots", snapshots.Snapshots.as_view()),
    path("/costs/snapshots/<int:snapshot_id>", snapshots.Snapshot.as_view()),
    path("/costs/snapshots/<int:snapshot_id>/cancel", snapshots.CancelSnapshot.as_view()),
]
