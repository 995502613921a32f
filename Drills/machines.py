"""The programs of a fleet: an engine, daemons that stand for machines, the way from each to the engine, and a tenant.

Everything is in a temporary directory, on Unix sockets. Only the tenant has a port, which the kernel chooses.
"""

import base64
import contextlib
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

START = 30
"""The seconds in which a program has to be ready."""


def wait_until(condition, what, seconds=START):
    """Waits for a condition, and raises `RuntimeError` if it doesn't come true in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise RuntimeError(f"not within {seconds} s: {what}")
        time.sleep(0.01)


class Process:
    """A program with a session of its own, so that signals reach it and its children alone."""

    def __init__(self, command, log):
        with open(log, "ab") as output:
            self._process = subprocess.Popen(
                [str(word) for word in command], stdout=output, stderr=output, start_new_session=True
            )

    @property
    def is_running(self):
        """True until the process has ended."""
        return self._process.poll() is None

    @property
    def numbers(self):
        """The numbers of the process and its children."""
        number = self._process.pid
        with contextlib.suppress(OSError):
            return [number, *map(int, pathlib.Path(f"/proc/{number}/task/{number}/children").read_text().split())]
        return [number]

    def signal(self, number):
        """Sends a signal to the program and its children."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, number)

    def kill(self):
        """Ends the program at once, as a crash does."""
        self.signal(signal.SIGKILL)
        self._process.wait()

    def end(self):
        """Asks the program to end, and ends it if it doesn't."""
        self.signal(signal.SIGCONT)
        self.signal(signal.SIGTERM)
        try:
            self._process.wait(15)
        except subprocess.TimeoutExpired:
            self.kill()


class Engine:
    """A Redis or Valkey server, whose place another one can take."""

    def __init__(self, directory):
        self.directory = pathlib.Path(directory)
        self.socket = self.directory / "engine.sock"
        self.program = os.environ.get("ENGINE_SERVER") or shutil.which("redis-server") or shutil.which("valkey-server")
        self.process = None
        self.start()

    def start(self):
        """Starts an engine, with what the file of the last `keep_copy` has, if there is one."""
        options = {"--port": 0, "--unixsocket": self.socket, "--save": "", "--dir": self.directory}
        words = [word for option in options.items() for word in option]
        self.process = Process([self.program, *words], self.directory / "engine.log")
        wait_until(self.is_ready, "an engine that answers")

    def is_ready(self):
        """Returns if the engine answers."""
        try:
            return self.run("PING") == b"+PONG"
        except OSError:
            return False

    def run(self, *words):
        """Runs a command, and returns the first line of the reply."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(START)
            connection.connect(str(self.socket))
            encoded = [str(word).encode() for word in words]
            parts = b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in encoded)
            connection.sendall(b"*%d\r\n%s" % (len(encoded), parts))
            with connection.makefile("rb") as replies:
                return replies.readline().rstrip()

    def information(self, section):
        """Returns a section of the engine's information by name."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(START)
            connection.connect(str(self.socket))
            connection.sendall(f"INFO {section}\r\n".encode())
            with connection.makefile("rb") as replies:
                text = replies.read(int(replies.readline()[1:])).decode()
        return dict(line.split(":", 1) for line in text.splitlines() if ":" in line)

    def signal(self, number):
        """Sends a signal, such as SIGSTOP."""
        self.process.signal(number)

    def kill(self):
        """Ends the engine at once."""
        self.process.kill()

    def keep_copy(self):
        """Keeps what the engine has now, which the next engine begins with: a replica that lags."""
        self.run("SAVE")

    def fail_over(self, to_copy=False):
        """Lets another engine take the address: an empty one, or one with the last copy."""
        if not to_copy:
            (self.directory / "dump.rdb").unlink(missing_ok=True)
        self.kill()
        self.start()
        (self.directory / "dump.rdb").unlink(missing_ok=True)

    def end(self):
        """Ends the engine."""
        self.process.end()


class Way:
    """The way from a machine to the engine, which can be cut off and can hang."""

    def __init__(self, directory, engine):
        self.socket = directory / "way.sock"
        self._log, self._engine = directory / "way.log", engine
        self.join()

    def join(self):
        """Makes a way that was cut off usable again."""
        self.socket.unlink(missing_ok=True)
        listening = f"UNIX-LISTEN:{self.socket},fork,backlog=64"
        self.process = Process(["socat", listening, f"UNIX-CONNECT:{self._engine.socket}"], self._log)
        wait_until(self.socket.exists, "a way to the engine")

    def cut(self):
        """Closes all connections, and refuses new ones."""
        self.process.kill()

    def hang(self):
        """Lets what is sent wait."""
        self.process.signal(signal.SIGSTOP)

    def go_on(self):
        """Lets what has waited pass."""
        self.process.signal(signal.SIGCONT)


class Machine:
    """A daemon of the fleet."""

    def __init__(self, programs, directory, tenant, engine_socket, settings):
        self.directory = directory
        self.socket, self.admin = directory / "requests.sock", directory / "admin.sock"
        self._log = directory / "daemon.log"
        self._write("secret", "secret\n")
        self._write("fleet-key", base64.b64encode(bytes(range(32))).decode() + "\n")
        fleet = f"url: 'unix://{engine_socket}', key: {{ file: {directory}/fleet-key }}"
        fleet += f", timeout: {settings.timeout}"
        self._write(
            "tokencached.yaml",
            f"audit: {{ to: none }}\nrefresh: {{ {settings.refresh} }}\n"
            + (f"fleet: {{ {fleet} }}\n" if settings.is_shared else "")
            + f"tenants:\n  main:\n    host: {tenant.url}\n    client_id: fleet\n"
            f"    client_secret: {{ file: {directory}/secret }}\n    timeout: 2s\n    max_concurrent: 64\n"
            f"    rate: {{ per_minute: {settings.per_minute}, burst: {settings.burst} }}\n",
        )
        words = ["--config", directory / "tokencached.yaml", "--socket", self.socket, "--admin-socket", self.admin]
        self._command = [pathlib.Path(programs) / "tokencached", *words]
        self.start()

    def _write(self, name, text):
        path = self.directory / name
        path.write_text(text)
        path.chmod(0o600)

    def start(self):
        """Starts the daemon."""
        self.socket.unlink(missing_ok=True)
        self.admin.unlink(missing_ok=True)
        self.process = Process(self._command, self._log)
        wait_until(lambda: self.is_ready() or not self.process.is_running, "a daemon")
        if not self.process.is_running:
            raise RuntimeError(self.log_text())

    def is_ready(self):
        """Returns if the daemon's sockets are there."""
        return self.socket.exists() and self.admin.exists()

    def log_text(self):
        """Returns the end of the daemon's log."""
        return self._log.read_text(errors="replace")[-4_000:]

    def ask(self, **request):
        """Returns the reply to an administrator's request."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(START)
            connection.connect(str(self.admin))
            connection.sendall(json.dumps(request).encode() + b"\n")
            with connection.makefile("rb") as replies:
                return json.loads(replies.readline())

    def fleet(self):
        """Returns what the daemon says about its fleet."""
        return self.ask(op="stats")["fleet"]

    def end(self):
        """Ends the daemon."""
        self.process.end()


class Tenant:
    """The process of `fleet_tenant.py`."""

    def __init__(self, directory, *options):
        ready, self.log = directory / "tenant", directory / "calls.jsonl"
        self.log.touch()
        program = pathlib.Path(__file__).parent / "fleet_tenant.py"
        self.process = Process([sys.executable, program, ready, self.log, *options], directory / "tenant.log")
        wait_until(lambda: ready.exists() or not self.process.is_running, "a tenant")
        self.url = ready.read_text().strip()

    def calls(self):
        """Returns all calls, in the order of their replies."""
        with self.log.open() as lines:
            return [json.loads(line) for line in lines if line.endswith("\n")]

    def end(self):
        """Ends the tenant."""
        self.process.end()


class Settings:
    """The settings of all machines."""

    def __init__(self, per_minute=10_000_000, burst=10_000_000, timeout="100ms", refresh="", is_shared=True):
        self.per_minute, self.burst, self.timeout = per_minute, burst, timeout
        self.refresh, self.is_shared = refresh, is_shared


class Fleet:
    """A temporary directory with a tenant, an engine and machines, which all end with it."""

    def __init__(self, programs, count, settings, tenant_options=(), has_ways=False):
        # What is started here ends with this program, also if it is asked to end.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
        self._temporary = tempfile.TemporaryDirectory(prefix="fleet-")
        directory = pathlib.Path(self._temporary.name)
        self._stack = contextlib.ExitStack()
        self._stack.callback(self._temporary.cleanup)
        self.ways, self.machines = [], []
        try:
            self.tenant = self._ended(Tenant(directory, *tenant_options))
            self.engine = self._ended(Engine(directory))
            for number in range(count):
                place = directory / f"machine-{number}"
                place.mkdir()
                way = self.engine.socket
                if has_ways:
                    self.ways.append(Way(place, self.engine))
                    self._stack.callback(self.ways[-1].cut)
                    way = self.ways[-1].socket
                machine = Machine(programs, place, self.tenant, way, settings)
                self.machines.append(self._ended(machine))
        except BaseException:
            self._stack.close()
            raise
        self.is_shared = settings.is_shared

    def _ended(self, program):
        self._stack.callback(program.end)
        return program

    def wait_until_connected(self, seconds=START):
        """Waits until each machine is connected."""
        for machine in self.machines:
            wait_until(lambda asked=machine: asked.fleet()["connected"], "a connected machine", seconds)

    def numbers_of(self, machine):
        """Returns the numbers of the processes of a machine and of its way to the engine."""
        return self.machines[machine].process.numbers + (self.ways[machine].process.numbers if self.ways else [])

    def __enter__(self):
        if self.is_shared:
            self.wait_until_connected()
        return self

    def __exit__(self, kind, error, trace):
        if error is not None:
            for machine in self.machines:
                print(machine.log_text(), file=sys.stderr)
        self._stack.close()
