from django.urls import URLPattern, path

from gateway.api import keys, proxy, rate_limits, statistics

urlpatterns: list[URLPattern] = [
    path("/keys", keys.Keys.as_view()),
    path("/keys/export", keys.KeyExport.as_view()),
    path("/keys/import", keys.ImportKeys.as_view()),
    path("/keys/presets", keys.Presets.as_view()),
    path("/keys/<int:key_id>", keys.Key.as_view()),
    path("/keys/<int:key_id>/rotate", keys.RotateKey.as_view()),
    path("/keys/<int:key_id>/undo-rotation", keys.UndoRotation.as_view()),
    path("/keys/<int:key_id>/retire", keys.RetireSecret.as_view()),
    path("/keys/<int:key_id>/captured/<int:log_id>", keys.Captured.as_view()),
    path("/keys/<int:key_id>/test", keys.TestKey.as_view()),
    path("/proxy", proxy.Envelope.as_view()),
    path("/proxy/<str:api_name>", proxy.ThroughToBase.as_view()),
    path("/proxy/<str:api_name>/<path:path>", proxy.Through.as_view()),
    path("/rate-limits", rate_limits.RateLimits.as_view()),
    path("/rate-limits/<str:api_name>", rate_limits.ApiRateLimit.as_view()),
    path("/stats", statistics.GatewayStatistics.as_view()),
    path("/stats/request-logs", statistics.RequestLogs.as_view()),
    path("/stats/request-logs/export", statistics.RequestLogExport.as_view()),
]
