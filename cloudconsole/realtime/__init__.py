from cloudconsole.realtime.publishing import publish

__all__ = ["publish"]
