from __future__ import annotations

from django.urls import path

from costs.api import changes, costs, reports, snapshots

urlpatterns = [
    path("/costs", costs.Costs.as_view()),
    path("/costs/summary", costs.CostSummary.as_view()),
    path("/costs/changes", changes.CostChanges.as_view()),
    path("/costs/reports", reports.Reports.as_view()),
    path("/costs/reports/<int:report_id>", reports.OneReport.as_view()),
    path("/costs/snapshots", snapshots.Snapshots.as_view()),
    path("/costs/snapshots/<int:snapshot_id>", snapshots.Snapshot.as_view()),
    path("/costs/snapshots/<int:snapshot_id>/cancel", snapshots.CancelSnapshot.as_view()),
]
