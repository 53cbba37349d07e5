"""S3, simulated: its names and regions, versions, multipart uploads and refusals (S3 user guide and API reference)."""

from cloudconsole.simulator.s3.routes import operation_of
from cloudconsole.simulator.s3.service import S3

__all__ = ["S3", "operation_of"]
