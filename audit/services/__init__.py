from audit.services.events import TrailBroken, by_itself, record

__all__ = ["TrailBroken", "by_itself", "record"]
