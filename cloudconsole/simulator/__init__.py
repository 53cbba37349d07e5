"""A simulated AWS organization behind real HTTP endpoints, for the demo and the tests. The product never knows it is there.

`python -m cloudconsole.simulator --port P` serves it; `process.running()` starts and stops it from Python.
"""
