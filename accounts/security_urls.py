"""Password and second factors, under the names by which allauth refers to them."""

from django.urls import path

from accounts.views import security

urlpatterns = [
    path("/password", security.ChangePassword.as_view(), name="account_change_password"),
    path("/password/set", security.SetPassword.as_view(), name="account_set_password"),
    path("/confirm", security.Confirm.as_view(), name="account_reauthenticate"),
    path("/confirm/code", security.ConfirmByCode.as_view(), name="mfa_reauthenticate"),
    path("/confirm/passkey", security.ConfirmByPasskey.as_view(), name="mfa_reauthenticate_webauthn"),
    path("/confirm/provider", security.ConfirmByProvider.as_view(), name="confirm-by-provider"),
    path("/confirm/provider/<slug:provider_id>", security.AskProvider.as_view(), name="ask-provider"),
    path("/security", security.SecondFactors.as_view(), name="mfa_index"),
    path("/security", security.SecondFactors.as_view(), name="mfa_list_webauthn"),
    path("/security/app", security.AddApp.as_view(), name="mfa_activate_totp"),
    path("/security/app/remove", security.RemoveApp.as_view(), name="mfa_deactivate_totp"),
    path("/security/recovery-codes", security.RecoveryCodes.as_view(), name="mfa_view_recovery_codes"),
    path("/security/recovery-codes/new", security.MakeRecoveryCodes.as_view(), name="mfa_generate_recovery_codes"),
    path("/security/passkeys/add", security.AddPasskey.as_view(), name="mfa_add_webauthn"),
    path("/security/passkeys/<int:pk>/rename", security.RenamePasskey.as_view(), name="mfa_edit_webauthn"),
    path("/security/passkeys/<int:pk>/remove", security.RemovePasskey.as_view(), name="mfa_remove_webauthn"),
]
