from cloudconsole.realtime.publishing import publish, publish_everywhere, publish_to, recheck

__all__ = ["publish", "publish_everywhere", "publish_to", "recheck"]
