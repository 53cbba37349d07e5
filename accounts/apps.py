from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "accounts"
    verbose_name = "People and AWS accounts"

    def ready(self) -> None:
        from accounts.api import schema  # noqa: F401 - registers itself with the OpenAPI generator
        from accounts.mfa import SecondFactors
        from cloudconsole.sealing import columns

        columns.register(SecondFactors("secret"), SecondFactors("seed"))
