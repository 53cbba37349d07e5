from allauth.account.views import LogoutView
from django.urls import path

from accounts import single_sign_on
from accounts.views import doors
from cloudconsole.dashboard import views

urlpatterns = [
    path("", views.Overview.as_view(), name="overview"),
    path("running", views.Running.as_view(), name="running"),
    path("disconnected/<int:pk>", views.History.as_view(), name="history"),
    path("palette", views.Palette.as_view(), name="palette"),
    path("sign-in", doors.SignIn.as_view(), name="sign-in"),
    path("sign-out", LogoutView.as_view(), name="sign-out"),
    path("sign-in/with/<slug:provider_id>", single_sign_on.start, name="openid_connect_login"),
    path("sign-in/with/<slug:provider_id>/callback", single_sign_on.callback, name="openid_connect_callback"),
    # allauth refers to its own pages by these names.
    path("sign-in", doors.SignIn.as_view(), name="account_login"),
    path("sign-out", LogoutView.as_view(), name="account_logout"),
]
