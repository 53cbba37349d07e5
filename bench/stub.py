"""A stand-in for AWS that answers lists after a fixed time and does nothing else: `python -m bench.stub SECONDS`.

It prints its address and serves until its input ends. One thread and no work, so that it is not what is measured.
"""

from __future__ import annotations

import asyncio
import json
import sys

_EC2 = "<DescribeInstancesResponse><requestId>r</requestId><reservationSet>{}</reservationSet></DescribeInstancesResponse>"
_INSTANCE = (
    "<item><reservationId>r-{0}</reservationId><instancesSet><item><instanceId>i-{0:017x}</instanceId><instanceState>"
    "<code>16</code><name>running</name></instanceState><instanceType>m6i.large</instanceType><launchTime>"
    "2026-11-01T08:00:00.000Z</launchTime><placement><availabilityZone>eu-central-1a</availabilityZone></placement>"
    "<tagSet><item><key>Name</key><value>web-{0}</value></item></tagSet></item></instancesSet></item>"
)
_S3 = (
    "<ListAllMyBucketsResult><Owner><ID>o</ID></Owner><Buckets><Bucket><Name>logs</Name><BucketRegion>eu-central-1</BucketRegion>"
    "<CreationDate>2026-01-01T00:00:00.000Z</CreationDate></Bucket></Buckets></ListAllMyBucketsResult>"
)
_LAMBDA = {
    "Functions": [
        {
            "FunctionName": f"worker-{number}",
            "FunctionArn": f"arn:aws:lambda:eu-central-1:111111111111:function:worker-{number}",
            "Runtime": "python3.12",
            "LastModified": "2026-11-01T08:00:00.000+0000",
            "Version": "$LATEST",
            "Handler": "app.handler",
            "MemorySize": 128,
            "Timeout": 3,
            "CodeSize": 1024,
            "CodeSha256": "bench",
            "Role": "arn:aws:iam::111111111111:role/worker",
            "Description": "",
            "PackageType": "Zip",
            "Architectures": ["arm64"],
            "RevisionId": "bench",
        }
        for number in range(3)
    ]
}

EC2 = _EC2.format("".join(_INSTANCE.format(number) for number in range(5))).encode()
S3 = _S3.encode()
LAMBDA = json.dumps(_LAMBDA).encode()


class _Connection(asyncio.Protocol):
    """Requests come one after the other on a connection, as botocore sends them."""

    def __init__(self, latency_s: float) -> None:
        self._latency_s = latency_s
        self._heard = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - it is TCP
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._heard += data
        head, end, body = self._heard.partition(b"\r\n\r\n")
        if end and len(body) >= _length(head):
            self._heard = b""
            asyncio.get_running_loop().call_later(self._latency_s, self._transport.write, _answer(head))


def _length(head: bytes) -> int:
    return next((int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), 0)


def _answer(head: bytes) -> bytes:
    request_line, kind, body = head.partition(b"\r\n")[0], "text/xml", S3
    if b"/functions" in request_line:
        kind, body = "application/json", LAMBDA
    elif request_line.startswith(b"POST"):
        body = EC2
    return f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


async def main(latency_s: float) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Connection(latency_s), "127.0.0.1", 0, backlog=512)
    host, port = server.sockets[0].getsockname()[:2]
    print(f"http://{host}:{port}", flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()


if __name__ == "__main__":
    asyncio.run(main(float(sys.argv[1])))
