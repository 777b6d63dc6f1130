"""The audit trail (审计): who did what to which subject, when; append-only."""

from sanhe.core.audit.ports import Audit, AuditEvent, MemoryAudit
from sanhe.core.audit.store import PostgresAudit

__all__ = ["Audit", "AuditEvent", "MemoryAudit", "PostgresAudit"]
