from django.urls import path

from accounts.views import people

app_name = "people"
urlpatterns = [
    path("", people.PeopleList.as_view(), name="list"),
    path("/invite", people.Invite.as_view(), name="invite"),
    path("/invitations/<int:pk>/revoke", people.RevokeInvitation.as_view(), name="revoke-invitation"),
    path("/<int:pk>", people.PersonDetail.as_view(), name="detail"),
    path("/<int:pk>/role", people.ChangeRole.as_view(), name="role"),
    path("/<int:pk>/grants", people.ReplaceGrants.as_view(), name="grants"),
    path("/<int:pk>/deactivate", people.Deactivate.as_view(), name="deactivate"),
    path("/<int:pk>/reactivate", people.Reactivate.as_view(), name="reactivate"),
    path("/<int:pk>/sign-out", people.SignOut.as_view(), name="sign-out"),
    path("/<int:pk>/second-factor/remove", people.RemoveSecondFactor.as_view(), name="remove-second-factor"),
    path("/<int:pk>/password-link", people.PasswordLink.as_view(), name="password-link"),
]
