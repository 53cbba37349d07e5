from django.urls import path

from accounts.views import aws_accounts, changes, stacks

app_name = "accounts"
urlpatterns = [
    path("accounts", aws_accounts.AccountList.as_view(), name="list"),
    path("accounts/add", aws_accounts.AddAccount.as_view(), name="add"),
    path("accounts/<int:pk>", aws_accounts.AccountDetail.as_view(), name="detail"),
    path("accounts/<int:pk>/edit", changes.EditAccount.as_view(), name="edit"),
    path("accounts/<int:pk>/credentials", changes.ReplaceCredentials.as_view(), name="credentials"),
    path("accounts/<int:pk>/cloudformation", stacks.AccountStack.as_view(), name="cloudformation"),
    path("accounts/<int:pk>/cloudformation.json", stacks.AccountTemplate.as_view(), name="template"),
    path("accounts/<int:pk>/verify", aws_accounts.VerifyAccount.as_view(), name="verify"),
    path("accounts/<int:pk>/remove", aws_accounts.RemoveAccount.as_view(), name="remove"),
]
