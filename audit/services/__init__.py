from audit.services.events import TrailBroken, record

__all__ = ["TrailBroken", "record"]
