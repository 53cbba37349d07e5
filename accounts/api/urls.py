from __future__ import annotations

from django.urls import path

from accounts.api import aws_accounts, history, identity, invitations, key_rotation, organizations, people, tokens

urlpatterns = [
    path("/auth/signup", identity.SignUp.as_view()),
    path("/auth/login", identity.Login.as_view()),
    path("/auth/token", identity.Login.as_view()),
    path("/auth/token/refresh", identity.Refresh.as_view()),
    path("/auth/logout", identity.Logout.as_view()),
    path("/auth/me", identity.Me.as_view()),
    path("/auth/tokens", tokens.Tokens.as_view()),
    path("/auth/tokens/<int:token_id>", tokens.Token.as_view()),
    path("/users", people.People.as_view()),
    path("/users/invitations", invitations.Invitations.as_view()),
    path("/users/invitations/<int:invitation_id>", invitations.InvitationDetail.as_view()),
    path("/users/<int:user_id>", people.Person.as_view()),
    path("/users/<int:user_id>/grants", people.Grants.as_view()),
    path("/accounts", aws_accounts.Accounts.as_view()),
    path("/accounts/<str:account_id>", aws_accounts.Account.as_view()),
    path("/accounts/<int:account_id>/history", history.History.as_view()),
    path("/accounts/<str:account_id>/verify", aws_accounts.Verify.as_view()),
    path("/accounts/<str:account_id>/policy", aws_accounts.Policy.as_view()),
    path("/accounts/<str:account_id>/trust-policy", aws_accounts.TrustPolicy.as_view()),
    path("/accounts/<str:account_id>/cloudformation", aws_accounts.CloudFormation.as_view()),
    path("/accounts/<str:account_id>/discover", organizations.Discover.as_view()),
    path("/accounts/<str:account_id>/import", organizations.Import.as_view()),
    path("/accounts/<str:account_id>/stack-set", organizations.StackSet.as_view()),
    path("/accounts/<str:account_id>/rotation", key_rotation.Rotation.as_view()),
    path("/accounts/<str:account_id>/rotation/next", key_rotation.NextStep.as_view()),
    path("/accounts/<str:account_id>/rotation/undo", key_rotation.Undo.as_view()),
    path("/adoptions/<int:batch_id>", organizations.AdoptionDetail.as_view()),
    path("/adoptions/<int:batch_id>/retry", organizations.AdoptionRetry.as_view()),
]
