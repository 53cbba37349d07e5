"""The pages before sign-in, under the names by which allauth refers to them."""

from django.urls import path, register_converter
from django.urls.converters import StringConverter

from accounts.views import doors


class Alphanumeric(StringConverter):
    """Ends at the first hyphen, which separates a person from the key of a link."""

    regex = "[0-9A-Za-z]+"


register_converter(Alphanumeric, "alphanumeric")

urlpatterns = [
    path("first-run", doors.FirstRun.as_view(), name="first-run"),
    path("join/<str:key>", doors.Join.as_view(), name="join"),
    path("sign-in/code", doors.SecondFactor.as_view(), name="mfa_authenticate"),
    path("sign-in/passkey", doors.Passkey.as_view(), name="mfa_login_webauthn"),
    path("sign-in/inactive", doors.Inactive.as_view(), name="account_inactive"),
    path("sign-up", doors.SignUp.as_view(), name="account_signup"),
    path("sign-up/verify", doors.VerificationSent.as_view(), name="account_email_verification_sent"),
    path("sign-up/verify/<str:key>", doors.ConfirmEmail.as_view(), name="account_confirm_email"),
    path("email/confirm/<str:key>", doors.ConfirmEmailChange.as_view(), name="confirm-email-change"),
    path("password/reset", doors.ResetPassword.as_view(), name="account_reset_password"),
    path("password/reset/sent", doors.ResetSent.as_view(), name="account_reset_password_done"),
    path("password/reset/done", doors.PasswordIsSet.as_view(), name="account_reset_password_from_key_done"),
    path(
        "password/reset/<alphanumeric:uidb36>-<str:key>",
        doors.SetPasswordByLink.as_view(),
        name="account_reset_password_from_key",
    ),
]
