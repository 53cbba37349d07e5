from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class AccountsConfig(AppConfig):
    name = "accounts"
    verbose_name = "People and AWS accounts"

    def ready(self) -> None:
        from accounts.api import schema  # noqa: F401 - registers itself with the OpenAPI generator
        from accounts.mfa import SecondFactors
        from cloudconsole.sealing import columns

        autodiscover_modules("alerts")  # the kinds that other apps announce
        columns.register(SecondFactors("secret"), SecondFactors("seed"))
