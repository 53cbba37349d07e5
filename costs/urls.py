from django.urls import path

from costs.views import snapshots as views

app_name = "costs"
urlpatterns = [
    path("snapshots", views.SnapshotList.as_view(), name="snapshots"),
    path("snapshots/refresh", views.RefreshCosts.as_view(), name="refresh"),
    path("snapshots/<int:pk>", views.SnapshotDetail.as_view(), name="snapshot"),
    path("snapshots/<int:pk>/cancel", views.CancelSnapshot.as_view(), name="cancel"),
]
