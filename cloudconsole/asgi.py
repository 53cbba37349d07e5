"""The web process: pages and API over HTTP, changes over the websocket."""

from __future__ import annotations

import gc
import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "cloudconsole.settings")
django.setup(set_prefix=False)

from channels.routing import ProtocolTypeRouter  # noqa: E402
from django.urls import get_resolver  # noqa: E402

from cloudconsole.core.threads import Handler  # noqa: E402
from cloudconsole.realtime.routing import websocket  # noqa: E402 - needs the applications loaded by the lines above

application = ProtocolTypeRouter({"http": Handler(), "websocket": websocket})

# What starting made lives as long as the process. Left out of collections, which otherwise walk all of it in the middle of
# requests: pauses of 50 to 100 ms, a third of the p95 of the pages with many figures.
get_resolver().url_patterns  # noqa: B018 - imports every page now rather than at the first request
gc.collect()
gc.freeze()
