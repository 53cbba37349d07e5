from django.apps import AppConfig
from django.db.models.signals import pre_delete


class CostsConfig(AppConfig):
    name = "costs"
    verbose_name = "Costs"

    def ready(self) -> None:
        from costs.models import CostSource
        from costs.services import rollups

        # However a source's row is deleted, its facts go with it, and no service is asked.
        pre_delete.connect(rollups.forget_on_delete, sender=CostSource, dispatch_uid="costs.rollups")
