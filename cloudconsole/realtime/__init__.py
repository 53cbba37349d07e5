from cloudconsole.realtime.publishing import publish, recheck

__all__ = ["publish", "recheck"]
