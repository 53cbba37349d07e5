"""Lambda as AWS answers it, and what a function may not do on this machine."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
import requests

from cloudconsole.simulator.lambda_.demo import zipped
from cloudconsole.simulator.organization import DEVELOPMENT
from cloudconsole.simulator.tests.conftest import Aws, refused

EU = "eu-central-1"
ROLE = f"arn:aws:iam::{DEVELOPMENT}:role/probe-lambda"
Run = Callable[..., dict[str, Any]]


def functions(aws: Aws, key: str = "development") -> Any:
    return aws.client("lambda", key, EU)


@pytest.fixture
def run(aws: Aws) -> Run:
    """`run(source, event, …)`: what a function with this source answers; further words go to CreateFunction."""
    aws.simulator.functions.set_pace(transition_s=0)

    def run(source: str, event: object = None, **more: Any) -> dict[str, Any]:
        wish = {"Runtime": "python3.12", "Handler": "app.handler", "Role": ROLE, "Timeout": 10, **more}
        functions(aws).create_function(FunctionName="probe", Code={"ZipFile": zipped({"app.py": source})}, **wish)
        answer: dict[str, Any] = functions(aws).invoke(FunctionName="probe", LogType="Tail", Payload=json.dumps(event).encode())
        return {
            "error": answer.get("FunctionError", ""),
            "payload": json.loads(answer["Payload"].read()),
            "log": base64.b64decode(answer["LogResult"]).decode(),
        }

    return run


PROBE = """
import os, signal, socket, subprocess

def attempt(what):
    try:
        return repr(what())
    except Exception as error:
        return type(error).__name__

def handler(event, context):
    secret = event["secret"]
    with open(os.path.join(os.environ["TMPDIR"], "own"), "w") as file:
        file.write("a function may write here")
    return {
        "read": attempt(lambda: open(secret).read()),
        "list": attempt(lambda: os.listdir(os.path.dirname(secret))),
        "write": attempt(lambda: open(secret, "w")),
        "remove": attempt(lambda: os.remove(secret)),
        "environment": attempt(lambda: open(f"/proc/{event['pid']}/environ").read()),
        "signal": attempt(lambda: os.kill(event["pid"], 0)),
        "connect": attempt(lambda: socket.create_connection(("127.0.0.1", event["port"]), 1)),
        "start": attempt(lambda: subprocess.run(["/bin/cat", secret], check=True)),
        "names": sorted(name for name in os.environ if "SECRET" in name or "KEY" in name),
    }
"""


def test_a_function_sees_nothing_of_this_machine(aws: Aws, run: Run, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = tmp_path / "secret"
    secret.write_text("canary")
    port = int(aws.simulator.url.rpartition(":")[2])

    done = run(PROBE, {"secret": str(secret), "pid": os.getpid(), "port": port})

    assert done["error"] == "", done
    told = done["payload"]
    assert "canary" not in json.dumps(done)
    assert told.pop("names") == []
    assert set(told.values()) <= {
        "PermissionError",
        "ProcessLookupError",
        "OSError",
        "ConnectionRefusedError",
        "CalledProcessError",
    }
    assert told["read"] == told["list"] == told["write"] == told["remove"] == "PermissionError"
    assert secret.read_text() == "canary"


def test_a_function_gets_its_event_context_and_environment(run: Run) -> None:
    source = """
import os
def handler(event, context):
    print("working")
    return [event, context.function_name, context.memory_limit_in_mb, context.get_remaining_time_in_millis() > 0,
            os.environ["GREETING"], os.environ["AWS_REGION"]]
"""
    done = run(source, {"a": 1}, MemorySize=256, Environment={"Variables": {"GREETING": "hello"}})

    assert done["payload"] == [{"a": 1}, "probe", "256", True, "hello", EU]
    assert "working" in done["log"]
    assert "Memory Size: 256 MB" in done["log"]


@pytest.mark.parametrize(
    ("source", "kind", "words"),
    [
        (
            "import time\ndef handler(e, c): time.sleep(60)",
            "Sandbox.Timedout",
            "timed out after 1.00",
        ),
        ("import os\ndef handler(e, c): os._exit(3)", "Runtime.ExitError", "exit status 3"),
        ("def handler(e, c): return 'x' * 7_000_000", "Function.ResponseSizeTooLarge", "maximum allowed payload size"),
        ("def handler(e, c): return object()", "Runtime.MarshalError", "Unable to marshal response"),
        ("def handler(e, c): return [0] * 10**9", "MemoryError", ""),
        ("def other(e, c): pass", "Runtime.HandlerNotFound", "Handler 'handler' missing"),
        ("import nowhere", "Runtime.ImportModuleError", "No module named 'nowhere'"),
        ("def handler(e, c): raise ValueError('no such order')", "ValueError", "no such order"),
    ],
)
def test_what_goes_wrong_in_a_function_is_its_answer(run: Run, source: str, kind: str, words: str) -> None:
    done = run(source, Timeout=1)

    assert (done["error"], done["payload"]["errorType"]) == ("Unhandled", kind)
    assert words in done["payload"]["errorMessage"]
    assert "REPORT RequestId" in done["log"]


def test_what_a_function_wrote_before_its_time_was_up_is_in_the_log(run: Run) -> None:
    done = run("import time\ndef handler(e, c):\n    print('began')\n    time.sleep(60)", Timeout=1)

    assert "began" in done["log"]
    assert "Task timed out after 1.00 seconds" in done["log"]


def test_other_runtimes_say_that_they_are_not_simulated(aws: Aws) -> None:
    code = {"ZipFile": zipped({"index.js": "x"})}
    answer = functions(aws).create_function(
        FunctionName="node", Runtime="nodejs22.x", Handler="index.handler", Role=ROLE, Code=code, Publish=True
    )
    invoked = functions(aws).invoke(FunctionName="node", Qualifier=answer["Version"])

    assert invoked["FunctionError"] == "Unhandled"
    assert "Python functions only" in json.loads(invoked["Payload"].read())["errorMessage"]


def test_no_more_run_at_once_than_the_account_may(aws: Aws) -> None:
    aws.simulator.functions.set_pace(concurrency=1)
    client = functions(aws)

    def invoke(_: int) -> str:
        try:
            client.invoke(FunctionName="load-test", Payload=b'{"rows": 20000000}')
        except client.exceptions.TooManyRequestsException as error:
            return str(error.response["Reason"])
        return "ran"

    with ThreadPoolExecutor(6) as pool:
        outcomes = list(pool.map(invoke, range(6)))

    assert {"ran", "ConcurrentInvocationLimitExceeded"} == set(outcomes)


@pytest.mark.parametrize(("kind", "most"), [("RequestResponse", 6 * 1024 * 1024), ("Event", 1024 * 1024)])
def test_payloads_have_their_limits(aws: Aws, kind: str, most: int) -> None:
    answer = refused(lambda: functions(aws).invoke(FunctionName="hello", InvocationType=kind, Payload=b"1" * (most + 1)))

    assert (answer.code, answer.status) == ("RequestTooLargeException", 413)


def test_an_update_waits_for_the_one_before(aws: Aws) -> None:
    aws.simulator.functions.set_pace(transition_s=3600)
    client = functions(aws)
    client.update_function_configuration(FunctionName="hello", MemorySize=512)

    answer = refused(lambda: client.update_function_code(FunctionName="hello", ZipFile=zipped({"app.py": ""})))

    assert (answer.code, answer.status) == ("ResourceConflictException", 409)
    assert client.get_function_configuration(FunctionName="hello")["LastUpdateStatus"] == "InProgress"


def test_code_is_fetched_by_a_link_that_cannot_be_changed(aws: Aws) -> None:
    link = functions(aws).get_function(FunctionName="hello", Qualifier="1")["Code"]["Location"]

    assert requests.get(link, timeout=10).content.startswith(b"PK")
    assert requests.get(link.replace("hello", "load-test"), timeout=10).status_code == 403
    assert requests.get(link.partition("?")[0], timeout=10).status_code == 403


@pytest.mark.parametrize(
    ("operation", "wish", "action"),
    [
        ("list_functions", {}, "lambda:ListFunctions"),
        ("get_function_configuration", {"FunctionName": "hello"}, "lambda:GetFunctionConfiguration"),
        ("invoke", {"FunctionName": "hello"}, "lambda:InvokeFunction"),
        ("update_function_code", {"FunctionName": "hello", "ZipFile": b"x"}, "lambda:UpdateFunctionCode"),
        ("publish_version", {"FunctionName": "hello"}, "lambda:PublishVersion"),
        ("get_account_settings", {}, "lambda:GetAccountSettings"),
    ],
)
def test_each_operation_needs_its_own_permission(aws: Aws, operation: str, wish: dict[str, Any], action: str) -> None:
    answer = refused(lambda: getattr(functions(aws, "no-cost-explorer"), operation)(**wish))

    assert (answer.code, answer.status) == ("AccessDeniedException", 403)
    assert f"perform: {action} on resource:" in answer.message


def test_what_is_invoked_is_counted(aws: Aws) -> None:
    now = aws.simulator.now() + timedelta(minutes=5)
    aws.simulator.set_now(now)
    functions(aws).invoke(FunctionName="load-test", Payload=b'{"rows": "many"}')

    found = aws.client("cloudwatch", "development", EU).get_metric_data(
        StartTime=now.replace(hour=0), EndTime=now.replace(hour=23),
        MetricDataQueries=[
            {"Id": name.lower(), "MetricStat": {"Metric": {"Namespace": "AWS/Lambda", "MetricName": name,
             "Dimensions": [{"Name": "FunctionName", "Value": "load-test"}]}, "Period": 86400, "Stat": "Sum"}}
            for name in ("Invocations", "Errors")
        ],
    )["MetricDataResults"]  # fmt: skip

    assert [result["Values"] for result in found] == [[1.0], [1.0]]
