from django.urls import path

from accounts import security_urls
from accounts.views import settings

app_name = "settings"
urlpatterns = [
    path("", settings.Profile.as_view(), name="profile"),
    path("/email", settings.Email.as_view(), name="email"),
    path("/sessions", settings.Sessions.as_view(), name="sessions"),
    path("/sessions/end", settings.EndSession.as_view(), name="end-session"),
    path("/sessions/end-all", settings.SignOutEverywhere.as_view(), name="sign-out-everywhere"),
    path("/tokens", settings.Tokens.as_view(), name="tokens"),
    path("/tokens/<int:pk>/revoke", settings.RevokeToken.as_view(), name="revoke-token"),
    # Once more inside this namespace, so that these pages count as settings in the navigation.
    *security_urls.urlpatterns,
]
