"""Lambda, simulated: it really runs small Python functions, and refuses as AWS does (Lambda API reference and guide)."""

from cloudconsole.simulator.lambda_.routes import operation_of
from cloudconsole.simulator.lambda_.service import CODE_PREFIX, Lambda

__all__ = ["CODE_PREFIX", "Lambda", "operation_of"]
