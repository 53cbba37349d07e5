from django.urls import path

from accounts.views import aws_accounts, changes, key_rotation, organizations, removal, stacks

app_name = "accounts"
urlpatterns = [
    path("accounts", aws_accounts.AccountList.as_view(), name="list"),
    path("accounts/disconnected", removal.Disconnected.as_view(), name="disconnected"),
    path("accounts/add", aws_accounts.AddAccount.as_view(), name="add"),
    path("accounts/<int:pk>", aws_accounts.AccountDetail.as_view(), name="detail"),
    path("accounts/<int:pk>/edit", changes.EditAccount.as_view(), name="edit"),
    path("accounts/<int:pk>/credentials", changes.ReplaceCredentials.as_view(), name="credentials"),
    path("accounts/<int:pk>/cloudformation", stacks.AccountStack.as_view(), name="cloudformation"),
    path("accounts/<int:pk>/cloudformation.json", stacks.AccountTemplate.as_view(), name="template"),
    path("accounts/<int:pk>/organization", organizations.Organization.as_view(), name="organization"),
    path("accounts/<int:pk>/discover", organizations.Discover.as_view(), name="discover"),
    path("accounts/<int:pk>/adopt", organizations.Adopt.as_view(), name="adopt"),
    path("accounts/<int:pk>/stack-set.json", organizations.StackSetTemplate.as_view(), name="stack-set"),
    path("adoptions/<int:pk>", organizations.AdoptionDetail.as_view(), name="adoption"),
    path("adoptions/<int:pk>/retry", organizations.RetryAdoption.as_view(), name="retry-adoption"),
    path("accounts/<int:pk>/rotation", key_rotation.RotateKey.as_view(), name="rotation"),
    path("accounts/<int:pk>/verify", aws_accounts.VerifyAccount.as_view(), name="verify"),
    path("accounts/<int:pk>/remove", removal.RemoveAccount.as_view(), name="remove"),
    path("disconnected/<int:pk>/purge", removal.PurgeAccount.as_view(), name="purge"),
]
