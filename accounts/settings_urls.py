from django.urls import path

from accounts import security_urls
from accounts.views import channels, settings

app_name = "settings"
urlpatterns = [
    path("", settings.Profile.as_view(), name="profile"),
    path("/email", settings.Email.as_view(), name="email"),
    path("/sessions", settings.Sessions.as_view(), name="sessions"),
    path("/sessions/end", settings.EndSession.as_view(), name="end-session"),
    path("/sessions/end-all", settings.SignOutEverywhere.as_view(), name="sign-out-everywhere"),
    path("/tokens", settings.Tokens.as_view(), name="tokens"),
    path("/tokens/<int:pk>/revoke", settings.RevokeToken.as_view(), name="revoke-token"),
    path("/notifications", channels.ChannelList.as_view(), name="notifications"),
    path("/notifications/channels/add/<str:kind>", channels.AddChannel.as_view(), name="add-channel"),
    path("/notifications/channels/<int:pk>", channels.EditChannel.as_view(), name="channel"),
    path("/notifications/channels/<int:pk>/test", channels.TestChannel.as_view(), name="test-channel"),
    path("/notifications/channels/<int:pk>/delete", channels.DeleteChannel.as_view(), name="delete-channel"),
    path("/notifications/deliveries", channels.DeliveryLog.as_view(), name="deliveries"),
    path("/notifications/deliveries/<int:pk>/retry", channels.RetryDelivery.as_view(), name="retry-delivery"),
    path("/notifications/deliveries/<int:pk>/dismiss", channels.DismissDelivery.as_view(), name="dismiss-delivery"),
    # Once more inside this namespace, so that these pages count as settings in the navigation.
    *security_urls.urlpatterns,
]
