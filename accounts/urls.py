from django.urls import path

from accounts.views import aws_accounts as views

app_name = "accounts"
urlpatterns = [
    path("accounts", views.AccountList.as_view(), name="list"),
    path("accounts/add", views.AddAccount.as_view(), name="add"),
    path("accounts/<int:pk>", views.AccountDetail.as_view(), name="detail"),
    path("accounts/<int:pk>/verify", views.VerifyAccount.as_view(), name="verify"),
    path("accounts/<int:pk>/remove", views.RemoveAccount.as_view(), name="remove"),
]
