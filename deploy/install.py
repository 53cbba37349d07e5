"""Make .venv and install the hash-pinned packages: `python3 deploy/install.py requirements.txt [requirements-dev.txt]`.

Runs under whatever `python3` a machine has, before anything is installed, so it uses the standard library alone and
syntax that old versions can read; what goes wrong is said in a sentence. What is installed already is not touched.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
VENV = os.path.join(ROOT, ".venv")
PYTHON = os.path.join(VENV, "bin", "python")
NEWEST_FIRST = ("python3.14", "python3.13", "python3.12", "python3.11")


def main(requirements):
    if sys.version_info < (3, 11):
        use_newer_python()
    make_environment()
    for name in requirements:
        install(name)


def use_newer_python():
    """Go on under a newer Python if the machine has one; else say so and stop."""
    for name in NEWEST_FIRST:
        found = shutil.which(name)
        if found and runs(found, "-c", "import venv, ensurepip"):
            os.execv(found, [found, *sys.argv])  # noqa: S606 - the same script, under the other Python
    stop(
        "Cloudconsole needs Python 3.11 or newer; this is {}.{}.".format(*sys.version_info[:2]),
        "Install a newer Python, or name it: make run PYTHON=/path/to/python3.12",
    )


def make_environment():
    if os.path.exists(PYTHON) and runs(PYTHON, "-c", "import pip"):
        return
    say("Making a virtual environment in .venv ...")
    if not runs(sys.executable, "-c", "import venv, ensurepip"):
        version = "{}.{}".format(*sys.version_info[:2])
        stop(
            "This Python comes without the venv module.",
            f"On Debian and Ubuntu: sudo apt-get install python{version}-venv",
        )
    shutil.rmtree(VENV, ignore_errors=True)
    made = subprocess.run([sys.executable, "-m", "venv", VENV], check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if made.returncode != 0:
        stop("The virtual environment could not be made in .venv:", last_lines(made.stdout))


def install(name):
    """Install what `name` pins, unless the stamp says that exactly this is installed."""
    stamp = os.path.join(VENV, ".installed-" + name)
    wanted = digest(os.path.join(ROOT, name))
    if read(stamp) == wanted:
        return
    say(f"Installing the packages of {name}, once (about half a minute) ...")
    started = time.monotonic()
    command = [PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input", "--retries", "2"]
    command += ["--require-hashes", "--requirement", os.path.join(ROOT, name)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=ROOT)
    output = wait_with_dots(process)
    if process.returncode != 0:
        stop(reason(output), last_lines(output))
    with open(stamp, "w") as file:
        file.write(wanted)
    say(f"Installed in {time.monotonic() - started:.0f} s.")


def wait_with_dots(process):
    """The output of `process`; a dot every few seconds shows that it goes on."""
    while True:
        try:
            output = process.communicate(timeout=3)[0]
        except subprocess.TimeoutExpired:
            sys.stdout.write(".")
            sys.stdout.flush()
        else:
            sys.stdout.write("\n")
            return output


def reason(output):
    text = output.decode(errors="replace")
    if "DO NOT MATCH THE HASHES" in text:
        return "A downloaded package is not the one that was pinned (its hash differs). Nothing of it was installed."
    unreachable = ("ConnectionError", "NewConnectionError", "connection broken", "Temporary failure", "ProxyError", "timed out")
    if any(sign in text for sign in unreachable):
        return "The package index cannot be reached. Check the network (or the proxy in HTTPS_PROXY), then run this again."
    if "No space left on device" in text:
        return "The disk is full; the packages need about 500 MB."
    if "No matching distribution" in text or "from versions: none" in text:
        return "The package index has no copy of a pinned package for this machine and Python, or cannot be reached."
    return "pip could not install the packages. Its last words:"


def last_lines(output):
    lines = [line for line in output.decode(errors="replace").splitlines() if line.strip() and "WARNING" not in line]
    return "\n".join("  " + line for line in lines[-4:])


def runs(*command):
    return subprocess.call(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) == 0


def digest(path):
    with open(path, "rb") as file:
        content = file.read()
    return hashlib.sha256(content + sys.version.encode()).hexdigest()


def read(path):
    try:
        with open(path) as file:
            return file.read()
    except OSError:
        return ""


def say(text):
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def stop(*lines):
    sys.stderr.write("\n".join(lines) + "\n")
    sys.exit(1)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except KeyboardInterrupt:
        stop("Stopped. Run it again to go on.")
