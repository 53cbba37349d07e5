"""EC2 instances, simulated: states that take their time, and AWS's refusals word for word (EC2 API reference and user guide)."""

from cloudconsole.simulator.ec2.authorization import require
from cloudconsole.simulator.ec2.service import Ec2

__all__ = ["Ec2", "require"]
