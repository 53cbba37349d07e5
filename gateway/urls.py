from django.urls import path

from gateway.views import console, keys, limits, statistics

app_name = "gateway"

urlpatterns = [
    path("/console", console.RequestConsole.as_view(), name="console"),
    path("/console/curl", console.PasteCurl.as_view(), name="console-curl"),
    path("/console/code", console.RequestCode.as_view(), name="console-code"),
    path("/limits", limits.Limits.as_view(), name="limits"),
    path("/limits/by-hand", limits.SetLimit.as_view(), name="set-limit"),
    path("/limits/by-hand/<int:window_id>", limits.EditLimit.as_view(), name="edit-limit"),
    path("/limits/forget/<int:window_id>", limits.RemoveLimit.as_view(), name="remove-limit"),
    path("/statistics", statistics.Statistics.as_view(), name="statistics"),
    path("/statistics/people", statistics.PeopleStatistics.as_view(), name="people"),
    path("", keys.KeyList.as_view(), name="list"),
    path("/new", keys.AddKey.as_view(), name="add"),
    path("/import", keys.ImportKeys.as_view(), name="import"),
    path("/<int:key_id>", keys.KeyDetail.as_view(), name="key"),
    path("/<int:key_id>/edit", keys.EditKey.as_view(), name="edit"),
    path("/<int:key_id>/rotate", keys.RotateKey.as_view(), name="rotate"),
    path("/<int:key_id>/undo-rotation", keys.UndoRotation.as_view(), name="undo-rotation"),
    path("/<int:key_id>/retire", keys.RetireSecret.as_view(), name="retire"),
    path("/<int:key_id>/test", keys.TestKey.as_view(), name="test"),
    path("/<int:key_id>/enable", keys.EnableKey.as_view(), name="enable"),
    path("/<int:key_id>/disable", keys.DisableKey.as_view(), name="disable"),
    path("/<int:key_id>/captured/<int:log_id>", keys.CapturedRequest.as_view(), name="captured"),
    path("/<int:key_id>/delete", keys.DeleteKey.as_view(), name="delete"),
]
