from allauth.account.views import LoginView, LogoutView
from django.urls import path

from cloudconsole.dashboard import views

urlpatterns = [
    path("", views.Overview.as_view(), name="overview"),
    path("running", views.Running.as_view(), name="running"),
    path("palette", views.Palette.as_view(), name="palette"),
    path("sign-in", LoginView.as_view(), name="sign-in"),
    path("sign-out", LogoutView.as_view(), name="sign-out"),
    # allauth refers to its own pages by these names.
    path("sign-in", LoginView.as_view(), name="account_login"),
    path("sign-out", LogoutView.as_view(), name="account_logout"),
]
