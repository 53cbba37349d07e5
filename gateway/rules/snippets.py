"""A request as code to paste into a program or a terminal. Every one goes through the proxy: none needs the secret.

The programs take their own token for this installation from the environment, and never hold it.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

TOKEN_VARIABLE = "CLOUDCONSOLE_TOKEN"  # noqa: S105 - a name, not a token


@dataclass(frozen=True, slots=True)
class Call:
    """A request to this installation's proxy, ready to be written down in any language."""

    method: str
    url: str
    headers: tuple[tuple[str, str], ...]
    body: str


@dataclass(frozen=True, slots=True)
class Snippet:
    slug: str
    label: str
    code: str


def through_proxy(*, origin: str, api_name: str, method: str, path: str, headers: tuple[tuple[str, str], ...], body: str) -> Call:
    """`path` lies below the key's base address, and may have a query. `origin`: scheme and host of this installation."""
    address = f"{origin.rstrip('/')}/api/proxy/{quote(api_name, safe='')}/{path.lstrip('/')}"
    return Call(method.upper(), address, headers, body)


def in_envelope(
    *, origin: str, key_id: int | None, method: str, url: str, headers: tuple[tuple[str, str], ...], body: str
) -> Call:
    """The same for a whole address: what to send is described in JSON."""
    described: dict[str, object] = {"url": url, "method": method.upper(), "headers": dict(headers)}
    if body:
        described["body"] = body
    if key_id is not None:
        described["api_key_id"] = key_id
    kind = (("Content-Type", "application/json"),)
    return Call("POST", f"{origin.rstrip('/')}/api/proxy", kind, json.dumps(described, ensure_ascii=False, indent=2))


def path_below(base_url: str, url: str) -> str | None:
    """What of an address lies below a base address, with its query; None where it lies elsewhere. A path is below it already."""
    if "://" not in url:
        return url if url.startswith("/") else f"/{url}"
    base, asked = urlsplit(base_url), urlsplit(url)
    root = base.path.rstrip("/")
    same_host = (base.scheme, base.netloc.lower()) == (asked.scheme, asked.netloc.lower())
    if not same_host or not (asked.path == root or asked.path.startswith(f"{root}/")):
        return None
    return (asked.path[len(root) :] or "/") + (f"?{asked.query}" if asked.query else "")


def written(call: Call) -> list[Snippet]:
    """In every language."""
    return [Snippet(slug, label, write(call)) for slug, (label, write) in _LANGUAGES.items()]


def _curl(call: Call) -> str:
    verb = [] if call.method == "GET" else ["--head"] if call.method == "HEAD" else [f"-X {shlex.quote(call.method)}"]
    lines = [
        " ".join(["curl", *verb, shlex.quote(call.url)]),
        f'-H "Authorization: Token ${TOKEN_VARIABLE}"',
        *[f"-H {shlex.quote(f'{name}: {value}')}" for name, value in call.headers],
    ]
    if call.body:
        lines.append(f"--data-raw {shlex.quote(call.body)}")
    return " \\\n  ".join(lines)


def _python(text: str) -> str:
    """A literal of Python, which those of JSON are as well."""
    return json.dumps(text, ensure_ascii=False)


def _python_headers(call: Call, indent: str) -> str:
    own = "".join(f"{indent}{_python(name)}: {_python(value)},\n" for name, value in call.headers)
    return f'{{\n{indent}"Authorization": f"Token {{os.environ[\'{TOKEN_VARIABLE}\']}}",\n{own}{indent[4:]}}}'


def _requests(call: Call) -> str:
    body = f"    data={_python(call.body)}.encode(),\n" if call.body else ""
    return (
        "import os\n\nimport requests\n\n"
        f"response = requests.request(\n    {_python(call.method)},\n    {_python(call.url)},\n"
        f"    headers={_python_headers(call, ' ' * 8)},\n{body}    timeout=60,\n)\n"
        "print(response.status_code)\nprint(response.text)\n"
    )


def _urllib(call: Call) -> str:
    body = f"    data={_python(call.body)}.encode(),\n" if call.body else ""
    return (
        "import os\nimport urllib.request\n\n"
        f"request = urllib.request.Request(\n    {_python(call.url)},\n"
        f"    method={_python(call.method)},\n    headers={_python_headers(call, ' ' * 8)},\n{body})\n"
        "with urllib.request.urlopen(request, timeout=60) as response:\n"
        "    print(response.status)\n    print(response.read().decode())\n"
    )


def _fetch(call: Call) -> str:
    own = "".join(f"    {json.dumps(name)}: {json.dumps(value, ensure_ascii=False)},\n" for name, value in call.headers)
    body = f"  body: {json.dumps(call.body, ensure_ascii=False)},\n" if call.body else ""
    return (
        f"const response = await fetch({json.dumps(call.url)}, {{\n  method: {json.dumps(call.method)},\n  headers: {{\n"
        f"    Authorization: `Token ${{process.env.{TOKEN_VARIABLE}}}`,\n{own}  }},\n{body}}});\n"
        "console.log(response.status, await response.text());\n"
    )


def _raw(call: Call) -> str:
    split = urlsplit(call.url)
    target = (split.path or "/") + (f"?{split.query}" if split.query else "")
    lines = [f"{call.method} {target} HTTP/1.1", f"Host: {split.netloc}", f"Authorization: Token <{TOKEN_VARIABLE}>"]
    lines += [f"{name}: {value}" for name, value in call.headers]
    if call.body:
        lines.append(f"Content-Length: {len(call.body.encode())}")
    return "\n".join([*lines, "", call.body])


_LANGUAGES: Mapping[str, tuple[str, Callable[[Call], str]]] = {
    "curl": ("cURL", _curl),
    "python": ("Python (requests)", _requests),
    "urllib": ("Python (urllib)", _urllib),
    "javascript": ("JavaScript", _fetch),
    "http": ("HTTP", _raw),
}
