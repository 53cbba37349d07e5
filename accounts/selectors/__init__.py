from accounts.selectors.live import live_groups

__all__ = ["live_groups"]
