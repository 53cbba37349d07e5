from django.urls import path

from costs.views import anomalies, anomaly_settings

app_name = "anomalies"
urlpatterns = [
    path("", anomalies.AnomalyList.as_view(), name="list"),
    path("/anomalies.csv", anomalies.AnomalyCsv.as_view(), name="csv"),
    path("/mutes", anomaly_settings.Mute.as_view(), name="mute"),
    path("/mutes/<int:pk>/lift", anomaly_settings.LiftMute.as_view(), name="lift"),
    path("/settings", anomaly_settings.AnomalySettings.as_view(), name="settings"),
    path("/settings/<int:pk>/reset", anomaly_settings.ResetLimits.as_view(), name="reset"),
    path("/<int:pk>", anomalies.AnomalyDetail.as_view(), name="detail"),
    path("/<int:pk>/feedback", anomalies.GiveFeedback.as_view(), name="feedback"),
]
