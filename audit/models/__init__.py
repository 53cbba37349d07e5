from audit.models.answers import RememberedAnswer
from audit.models.events import Account, AuditEvent, AuditHead, Outcome, Person

__all__ = ["Account", "AuditEvent", "AuditHead", "Outcome", "Person", "RememberedAnswer"]
