from __future__ import annotations

from django.urls import path

from audit.api.events import AuditExport, AuditList, AuditVerify

urlpatterns = [
    path("/audit", AuditList.as_view(), name="api-audit"),
    path("/audit/export", AuditExport.as_view(), name="api-audit-export"),
    path("/audit/verify", AuditVerify.as_view(), name="api-audit-verify"),
]
