"""Lambda: functions, invocations and deployments. Environment values are secrets and never leave this package.

Every function raises AwsError. What changes or invokes is sent once: after a lost answer nobody but AWS knows.
"""

from cloudconsole.aws.lambda_.deployment import (
    code_of,
    create_function,
    point_alias,
    publish_version,
    update_code,
    update_configuration,
    wait_until_active,
)
from cloudconsole.aws.lambda_.functions import (
    AccountLimits,
    AliasFacts,
    FunctionFacts,
    account_limits,
    aliases,
    configuration,
    functions,
    versions,
)
from cloudconsole.aws.lambda_.invocation import (
    Invocation,
    InvocationType,
    invoke,
)

__all__ = [
    "AccountLimits",
    "AliasFacts",
    "FunctionFacts",
    "Invocation",
    "InvocationType",
    "account_limits",
    "aliases",
    "code_of",
    "configuration",
    "create_function",
    "functions",
    "invoke",
    "point_alias",
    "publish_version",
    "update_code",
    "update_configuration",
    "versions",
    "wait_until_active",
]
