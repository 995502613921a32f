"""A stand-in tenant and the real daemon in a temporary directory, for the tests of what operators use."""

import base64
import contextlib
import json
import os
import pathlib
import re
import socket
import subprocess
import tempfile
import threading
import time
import urllib.request

PROGRAMS = pathlib.Path(os.environ["TOKENCACHED_PROGRAMS"])
TIMEOUT = 60
"""The seconds that anything may take that should take less than one."""

BETWEEN_LOOKS = threading.Event()
"""Is never set. Its timeout leaves the processor to the programs between two looks at what they do."""


def wait_for(condition, what, process=None):
    """Waits until the condition is true, and returns its value."""
    deadline = time.monotonic() + TIMEOUT
    while not (value := condition()):
        if process is not None and process.poll() is not None:
            raise AssertionError(f"the program has ended: {what}")
        if time.monotonic() > deadline:
            raise AssertionError(f"timed out: {what}")
        BETWEEN_LOOKS.wait(0.02)
    return value


class StandInTenant:
    """The stand-in tenant's process."""

    def __init__(self, directory, name, *options):
        ready = directory / f"{name}.ready"
        command = [PROGRAMS / "standin-tenant", "--client-id", "client", "--client-secret", "secret"]
        self.process = started([*command, "--ready-file", ready, *options], directory / f"{name}.log")
        wait_for(ready.exists, "the stand-in tenant listens", self.process)
        self.url = ready.read_text().strip()

    def set(self, **settings):
        """Changes the tenant's behaviour."""
        request = urllib.request.Request(f"{self.url}/_control/settings", json.dumps(settings).encode(), method="POST")
        urllib.request.urlopen(request, timeout=TIMEOUT).close()

    def mint(self, subject):
        """Mints a token as another machine would, with the client of the daemon."""
        grant = {
            "client_id": "client",
            "client_secret": "secret",
            "grant_type": "urn:qlik:oauth:user-impersonation",
            "user_lookup": {"field": "subject", "value": subject},
            "scope": "user_default",
        }
        headers = {"content-type": "application/json", "accept": "application/json"}
        request = urllib.request.Request(f"{self.url}/oauth/token", json.dumps(grant).encode(), headers)
        with urllib.request.urlopen(request, timeout=TIMEOUT) as reply:
            return json.load(reply)["access_token"]

    def end(self):
        end(self.process)


class Connection:
    """One connection to a socket of the daemon."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(TIMEOUT)
        self.socket.connect(str(path))
        self.replies = self.socket.makefile()

    def ask(self, *requests):
        """Sends requests in one piece and returns their replies, of which none may be missing."""
        self.socket.sendall("".join(json.dumps(request) + "\n" for request in requests).encode())
        return [json.loads(self.replies.readline()) for _ in requests]

    def close(self):
        self.replies.close()
        self.socket.close()


FLEET_KEY = base64.b64encode(bytes(range(32))).decode() + "\n"
"""A key of a fleet, as a file has it."""


class Stage:
    """A directory with the tenants, the configuration and the daemon."""

    BACKEND = "    clients: { backend: { client_id: backend, client_secret: { file: SECRET } } }\n"
    """A further client for `limits`, which is what stands under each tenant. SECRET is the path of its secret."""

    LOGIN = """\
    clients:
      backend: { client_id: backend, client_secret: { file: SECRET } }
      users: { client_id: users, client_secret: { file: SECRET } }
    provision: { client: users, groups: ["portal-*"], revoke_client: users }
"""
    """The further clients and the provisions of a backend's login, for `limits`."""

    EVERYTHING = """\
access:
  - users: ["*"]
    subjects: ["*"]
    user_ids: ["*"]
    clients: [backend]
    operations: [token, prefetch, invalidate, revoke, provision]
"""
    """A rule with which everyone may do everything, for `configuration`."""

    CLIENTS = (
        {"id": "backend", "secrets": ["secret"], "scopes": ["user_default"]},
        {"id": "users", "secrets": ["secret"], "scopes": ["admin_classic"]},
    )
    """The clients of `LOGIN` at the tenant."""

    def __init__(self, tenants=("main",), configuration="", limits=""):
        self.stack = contextlib.ExitStack()
        self.directory = pathlib.Path(self.stack.enter_context(tempfile.TemporaryDirectory(prefix="operations-")))
        self.directory.chmod(0o700)
        self.socket, self.admin = self.directory / "requests.sock", self.directory / "admin.sock"
        self.file = self.directory / "tokencached.yaml"
        secret = self.directory / "main-client-secret"
        secret.write_text("secret")
        secret.chmod(0o600)
        self.tenants = {}
        # The configuration allows no port 0. If another program takes this one now, the daemon says so and ends.
        self.metrics = f"127.0.0.1:{free_port()}"
        text = configuration + f"metrics: {{ listen: {self.metrics} }}\ndefault_tenant: {tenants[0]}\ntenants:\n"
        try:
            for name in tenants:
                self.tenants[name] = StandInTenant(self.directory, name)
                self.stack.callback(self.tenants[name].end)
                text += f"  {name}:\n    host: {self.tenants[name].url}\n    client_id: client\n"
                text += f"    client_secret: {{ file: {secret} }}\n"
                text += limits.replace("SECRET", str(secret))
            self.file.write_text(text)
            self.start()
        except BaseException:
            self.end()
            raise

    @classmethod
    def for_logins(cls):
        """A stage whose daemon does all of a backend's login."""
        stage = cls(configuration=cls.EVERYTHING, limits=cls.LOGIN)
        stage.tenants["main"].set(clients=cls.CLIENTS)
        return stage

    @classmethod
    def for_fleet(cls):
        """A stage whose daemon shares an engine, as the user that the page on fleets makes."""
        with contextlib.ExitStack() as stack:
            directory = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="engine-")))
            (directory / "fleet-key").write_text(FLEET_KEY)
            (directory / "fleet-password").write_text("password")
            for name in ("fleet-key", "fleet-password"):
                (directory / name).chmod(0o600)
            path = directory / "engine.sock"
            command = ["redis-server", "--port", "0", "--unixsocket", path, "--save", "", "--dir", directory]
            process = started(command, directory / "engine.log")
            stack.callback(end, process)
            wait_for(path.exists, "the engine serves", process)
            page = pathlib.Path(__file__).resolve().parents[2] / "Documentation/fleet.md"
            for line in re.findall("^ACL SETUSER .*", page.read_text(), re.MULTILINE):
                words = line.replace(">PASSWORD", ">password").split()
                run = subprocess.run(["redis-cli", "-s", path, *words], capture_output=True, text=True, check=True)
                if run.stdout != "OK\n":
                    raise AssertionError(f"{line}: {run.stdout}")
            fleet = (
                f"fleet:\n  url: unix://{path}\n  username: tokencached\n"
                f"  password: {{ file: {directory}/fleet-password }}\n  key: {{ file: {directory}/fleet-key }}\n"
            )
            stage = cls(configuration=fleet)
            stage.stack.push(stack.pop_all())
            return stage

    def start(self):
        """Starts the daemon, and waits until it serves."""
        command = [PROGRAMS / "tokencached", "--config", self.file]
        command += ["--socket", self.socket, "--admin-socket", self.admin]
        self.process = started(command, self.directory / "daemon.log")
        self.stack.callback(end, self.process)
        try:
            wait_for(lambda: self.socket.exists() and self.admin.exists(), "the daemon serves", self.process)
        except AssertionError as fault:
            raise AssertionError(f"{fault}\n{self.log()}") from fault

    def connect(self, path=None):
        """Opens a connection, which the stage closes."""
        connection = Connection(path or self.socket)
        self.stack.callback(connection.close)
        return connection

    def log(self):
        """Returns what the daemon has logged."""
        return (self.directory / "daemon.log").read_text()

    def end(self):
        self.stack.close()

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.end()


def free_port():
    """Returns a port that was free a moment ago."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def started(command, log):
    """Starts a program that writes into a log."""
    with open(log, "ab") as output:
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output)


def end(process):
    """Ends a process in the regular way, or by force."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
