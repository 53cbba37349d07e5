from django.urls import path

from accounts.views import alerts

app_name = "alerts"
urlpatterns = [
    path("", alerts.AlertList.as_view(), name="list"),
    path("/bell", alerts.Bell.as_view(), name="bell"),
    path("/read", alerts.ReadAll.as_view(), name="read-all"),
    path("/<int:pk>/read", alerts.Read.as_view(), name="read"),
    path("/<int:pk>/open", alerts.Open.as_view(), name="open"),
]
