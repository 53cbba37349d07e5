"""The websocket's addresses, behind the origin check and the session."""

from __future__ import annotations

from channels.auth import AuthMiddlewareStack
from channels.routing import URLRouter
from channels.security.websocket import AllowedHostsOriginValidator
from django.urls import path, re_path

from cloudconsole.realtime.consumers import LiveConsumer, Nowhere

websocket = AllowedHostsOriginValidator(
    AuthMiddlewareStack(URLRouter([path("ws/live", LiveConsumer.as_asgi()), re_path("", Nowhere.as_asgi())]))
)
