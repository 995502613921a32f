"""The machine that the tests run on: systemd, the installed daemon and a stand-in tenant."""

import contextlib
import json
import os
import pathlib
import select
import shutil
import signal
import socket
import subprocess
import time
import unittest
import urllib.request

PACKAGE = "/packages/tokencached.deb"
REQUESTS = "/run/tokencached/tokencached.sock"
ADMIN = "/run/tokencached-admin/admin.sock"
CONFIGURATION = pathlib.Path("/etc/tokencached/tokencached.yaml")
SECRET = pathlib.Path("/etc/tokencached/main-client-secret")
DROP_INS = pathlib.Path("/run/systemd/system/tokencached.service.d")
SHIPPED_DROP_INS = pathlib.Path("/usr/share/doc/tokencached/drop-ins")
SOCKETS = ("tokencached.socket", "tokencached-admin.socket")
TENANT = "http://127.0.0.1:18080"
SOURCES = pathlib.Path(__file__).parents[2]
TIMEOUT = 30
"""The seconds that anything may take that should take less than one."""


def run(*command, check=True, **options):
    """Runs a command to its end. If it fails, its output is in the error."""
    result = subprocess.run(command, text=True, capture_output=True, timeout=120, **options)
    if check and result.returncode != 0:
        raise AssertionError(f"{' '.join(command)} ended with {result.returncode}:\n{result.stdout}{result.stderr}")
    return result


def install(package=PACKAGE):
    """Installs a package as an administrator would."""
    run("dpkg", "--install", "--force-confold", package, env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"})


def systemctl(*arguments, check=True):
    return run("systemctl", *arguments, check=check)


def property_of(name, unit="tokencached.service"):
    return systemctl("show", "--value", f"--property={name}", unit).stdout.strip()


def kill_daemon():
    """Kills the daemon and waits for its end, after which it can't accept and lose another connection."""
    process = os.pidfd_open(int(property_of("MainPID")))
    try:
        signal.pidfd_send_signal(process, signal.SIGKILL)
        if not select.select([process], [], [], TIMEOUT)[0]:
            raise AssertionError("a killed daemon still runs")
    finally:
        os.close(process)


def connect(path):
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(TIMEOUT)
    connection.connect(path)
    return connection


def ask(request, path=REQUESTS):
    """Makes one request on a connection of its own, which waits in the socket while no daemon runs."""
    with connect(path) as connection, connection.makefile("rb") as replies:
        connection.sendall(json.dumps(request).encode() + b"\n")
        line = replies.readline()
    if not line:
        raise ConnectionError("closed without an answer")
    return json.loads(line)


def token(subject):
    reply = ask({"op": "token", "subject": subject})
    if "access_token" not in reply:
        raise AssertionError(f"no token for {subject}: {reply}")
    return reply


def entries():
    return ask({"op": "stats"}, ADMIN)["entries"]


def mints():
    """Returns the number of tokens that the tenant has minted so far."""
    with urllib.request.urlopen(f"{TENANT}/_control/counters", timeout=TIMEOUT) as reply:
        return json.load(reply)["mints"]


def journal(*matches, since=None):
    arguments = ["journalctl", "--no-pager", "--output=json", *matches]
    if since is not None:
        arguments.append(f"--since=@{since}")
    run("journalctl", "--sync", check=False)
    return [json.loads(line) for line in run(*arguments).stdout.splitlines()]


def configure(client="client", settings="", tenants=""):
    CONFIGURATION.write_text(
        f"{settings}\n"
        "tenants:\n"
        f'  main: {{ host: "{TENANT}", client_id: {client}, client_secret: {{ credential: main-client-secret }},\n'
        "          rate: { per_minute: 100000, burst: 100000 } }\n"
        f"{tenants}\n"
    )


def drop_in(name, text):
    DROP_INS.mkdir(parents=True, exist_ok=True)
    (DROP_INS / f"{name}.conf").write_text(text)
    systemctl("daemon-reload")


class MachineTestCase(unittest.TestCase):
    """Begins each test with the package installed and configured, and no daemon running."""

    def setUp(self):
        if not pathlib.Path("/usr/sbin/tokencached").exists():
            install()
        self.began = int(time.time())
        systemctl("start", "standin-tenant.service")
        shutil.rmtree(DROP_INS, ignore_errors=True)
        systemctl("daemon-reload")
        # Without its sockets nothing starts it again.
        systemctl("stop", *SOCKETS, "tokencached.service")
        systemctl("reset-failed", "tokencached.service", *SOCKETS, check=False)
        configure()
        SECRET.write_text("s3cret")
        SECRET.chmod(0o600)
        systemctl("start", *SOCKETS)

    def subject(self, name="user"):
        """Returns a user that no other test uses."""
        return f"{self.id().rsplit('.', 1)[1]}-{name}"

    @contextlib.contextmanager
    def no_mint(self):
        """Fails if the tenant is asked for a token within the block."""
        before = mints()
        yield
        self.assertEqual(mints(), before, "no token should have been minted")
