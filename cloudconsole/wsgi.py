"""The web process without websockets, for hosts that speak WSGI only: pages then ask again instead of being told."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "cloudconsole.settings")
application = get_wsgi_application()
