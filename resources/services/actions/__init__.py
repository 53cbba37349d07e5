"""The handlers of all actions. Importing this package registers them."""

from resources.services.actions import ec2, lambda_, quotas, s3, savings
from resources.services.actions.handlers import HANDLERS

__all__ = ["HANDLERS", "ec2", "lambda_", "quotas", "s3", "savings"]
