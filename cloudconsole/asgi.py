"""The web process: pages and API over HTTP, changes over the websocket."""

from __future__ import annotations

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "cloudconsole.settings")
http = get_asgi_application()

from channels.routing import ProtocolTypeRouter  # noqa: E402

from cloudconsole.realtime.routing import websocket  # noqa: E402 - needs the applications loaded by the line above

application = ProtocolTypeRouter({"http": http, "websocket": websocket})
