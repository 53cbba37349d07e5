from audit.services.events import TrailBroken, by_itself, on_behalf, record

__all__ = ["TrailBroken", "by_itself", "on_behalf", "record"]
