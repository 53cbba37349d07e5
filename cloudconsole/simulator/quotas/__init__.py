"""Service Quotas, and what CloudWatch tells of the use of quotas."""

from cloudconsole.simulator.quotas.models import Bedrock
from cloudconsole.simulator.quotas.service import ServiceQuotas
from cloudconsole.simulator.quotas.usage import Usage

__all__ = ["Bedrock", "ServiceQuotas", "Usage"]
