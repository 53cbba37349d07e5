from django.apps import AppConfig


class DashboardConfig(AppConfig):
    name = "cloudconsole.dashboard"
