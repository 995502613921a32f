"""The programs that the measurements need: a tenant, the daemon, Redis, memcached, and the bare loop.

Each measurement has a `Stage`, a temporary directory in which it starts programs. The stage ends them all.
"""

import argparse
import json
import os
import pathlib
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

TIMEOUT = 120
"""The limit for each step of a measurement, in seconds."""
KEY = "user%08d"
"""The form of the keys, which have the same length."""
LOW_PRIORITY = ("chrt", "--idle", "0")
"""Programs that play other machines, such as the tenant, take only the time that the measured ones leave."""


class Stage:
    """A temporary directory with programs that run in it."""

    def __init__(self, tools):
        self.tools = tools
        self._temporary = tempfile.TemporaryDirectory(prefix="bench-")
        self.directory = pathlib.Path(self._temporary.name)
        self._programs = []

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        for program in reversed(self._programs):
            program.stop()
        if error is not None:
            for log in self.directory.glob("*.log"):
                print(log.name, *log.read_text(errors="replace").splitlines()[-20:], sep="\n", file=sys.stderr)
        self._temporary.cleanup()

    def add(self, program):
        """Has the stage end a program."""
        self._programs.append(program)


class Tools:
    """The directories of the daemon's programs and of the measurements' own, and the processors that they use."""

    def __init__(self, programs, own, is_pinned=False):
        self.programs = programs.resolve()
        self.own = own.resolve()
        # The first processor is the load's, and the second the server's.
        self._is_pinned = is_pinned

    def pinned(self, command):
        """Returns the command of a server."""
        return ["taskset", "--cpu-list", "1", *command] if self._is_pinned else command

    def press(self, server, **options):
        """Keeps requests in flight, and returns their number a second and the times of the replies."""
        return finish(self._start("press", server, options))

    def start_probe(self, server, **options):
        """Starts to request tokens at a steady rate. `finish` returns the times of the replies."""
        return self._start("probe", server, {**options, "realtime": None})

    def _start(self, kind, server, options):
        options = {"server": server.name, "socket": server.socket, "key": KEY, **options}
        if self._is_pinned:
            options["processor"] = 0
        words = [
            f"--{name.replace('_', '-')}" + ("" if value is None else f"={value}") for name, value in options.items()
        ]
        command = [self.own / "socket-load", kind, *words]
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def finish(load):
    """Waits for a load, and returns its result."""
    result, fault = load.communicate(timeout=TIMEOUT)
    if load.returncode != 0:
        raise RuntimeError(fault.strip())
    return json.loads(result)


class Program:
    """A process that the stage ends, and that is ready when a file is there."""

    name = ""

    def __init__(self, stage, command, ready):
        self.log_path = stage.directory / f"{self.name}.log"
        self._command = [str(word) for word in command]
        self.begin()
        stage.add(self)
        self.wait_for(ready)

    def begin(self):
        """Starts the process."""
        with self.log_path.open("ab") as log:
            self.process = self.spawn(self._command, log)

    def spawn(self, command, log):
        """Returns a new process."""
        return subprocess.Popen(command, stdout=log, stderr=log)

    def wait_for(self, path):
        """Waits until a file is there."""
        deadline = time.monotonic() + TIMEOUT
        while not path.exists():
            if time.monotonic() > deadline or self.process.poll() is not None:
                raise RuntimeError(f"{self.name} did not start: {self.log_path.read_text(errors='replace')}")
            time.sleep(0.01)

    def stop(self):
        """Ends the process."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


class Server(Program):
    """A process with a Unix socket, which is measured."""

    def __init__(self, stage, command, path):
        self.socket = str(path)
        super().__init__(stage, stage.tools.pinned(command), path)

    def memory(self):
        """Returns the resident memory in bytes."""
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0]) * 1024

    def code(self):
        """Returns the resident bytes of the program's file and its libraries."""
        size, is_code = 0, False
        for line in pathlib.Path(f"/proc/{self.process.pid}/smaps").read_text().splitlines():
            words = line.split()
            if not words[0].endswith(":"):
                # Memory files have a name, too, and are shown as deleted or have no directory in which they could be.
                path = words[5] if len(words) > 5 else ""
                is_code = path.startswith("/") and path.count("/") > 1 and not line.endswith("(deleted)")
            elif is_code and words[0] == "Rss:":
                size += int(words[1]) * 1024
        return size

    def mappings(self):
        """Returns the number of mappings of the process."""
        return len(pathlib.Path(f"/proc/{self.process.pid}/maps").read_text().splitlines())

    def processor_time(self):
        """Returns the seconds of processor time so far."""
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def open(self):
        """Returns a new connection."""
        return Lines(self.socket)


class Redis(Server):
    """Redis without persistence."""

    name = "redis"

    def __init__(self, stage):
        path = stage.directory / "redis.sock"
        options = {"--port": 0, "--unixsocket": path, "--save": "", "--appendonly": "no", "--dir": stage.directory}
        words = [str(word) for option in options.items() for word in option]
        super().__init__(stage, ["redis-server", *words], path)

    def store(self, keys, value):
        """Stores a value under each key."""
        form = b"*3\r\n$3\r\nSET\r\n$%d\r\n%s\r\n$%d\r\n%s\r\n"
        with self.open() as lines:
            lines.exchange((form % (len(key), key, len(value), value) for key in map(str.encode, keys)), b"+OK")


class Memcached(Server):
    """memcached with memory for everything that is stored."""

    name = "memcached"

    def __init__(self, stage):
        path = stage.directory / "memcached.sock"
        super().__init__(stage, ["memcached", "-u", "root", "-m", "1024", "-s", path], path)

    def store(self, keys, value):
        """Stores a value under each key."""
        form = b"set %s 0 0 %d\r\n%s\r\n"
        with self.open() as lines:
            lines.exchange((form % (key, len(value), value) for key in map(str.encode, keys)), b"STORED")


class Loop(Server):
    """The bare loop, which answers each line with a number of bytes."""

    name = "epoll-loop"

    def __init__(self, stage, reply_bytes):
        path = stage.directory / "loop.sock"
        super().__init__(stage, [stage.tools.own / "epoll-loop", path, reply_bytes], path)


class Tenant(Program):
    """A tenant that gives tokens of a length, and plays another machine."""

    name = "tenant"

    def __init__(self, stage, token_bytes=1_199):
        ready = stage.directory / "tenant"
        super().__init__(stage, [*LOW_PRIORITY, stage.tools.own / "bulk-tenant", ready, token_bytes], ready)
        self.url = ready.read_text().strip()

    def set_lifetime(self, seconds):
        """Sets the lifetime of the tokens that are minted from now on."""
        urllib.request.urlopen(f"{self.url}/lifetime/{seconds}", timeout=TIMEOUT).close()

    def set_end(self, seconds):
        """Lets the tokens that are minted from now on expire at the same time, so many seconds from now."""
        urllib.request.urlopen(f"{self.url}/end/{seconds}", timeout=TIMEOUT).close()


class Daemon(Server):
    """The daemon with two tenants, `main` and `probe`, which are the same program.

    `probe` has the token of whoever measures while things happen to the tokens of `main`.
    """

    name = "tokencached"

    def __init__(self, stage, tenant, cache="max_entries: 200000", manager=None):
        """Starts it, with sockets that it binds, or with those that a manager holds."""
        self._directory, self._tenant, self._cache = stage.directory, tenant, cache
        self.admin_socket = str(stage.directory / "admin.sock")
        secret = stage.directory / "secret"
        secret.write_text("bench-secret")
        secret.chmod(0o600)
        command = [stage.tools.programs / "tokencached", "--config", stage.directory / "tokencached.yaml"]
        self._manager = manager
        self.configure()
        path = stage.directory / "requests.sock"
        if manager is None:
            command += ["--socket", path, "--admin-socket", self.admin_socket]
        super().__init__(stage, command, path)
        self.wait_for(pathlib.Path(self.admin_socket))
        if manager is not None:
            manager.wait_until_ready()

    def spawn(self, command, log):
        """Returns a new process."""
        return super().spawn(command, log) if self._manager is None else self._manager.start(command, log)

    def configure(self, cache=None, refresh="", max_concurrent=64):
        """Writes the configuration, which a reload puts into force."""
        tenant = (
            f"{{ host: '{self._tenant.url}', client_id: bench, client_secret: {{ file: {self._directory}/secret }},\n"
            "    rate: { per_minute: 10000000, burst: 10000000 }, max_concurrent: %d }\n"
        )
        (self._directory / "tokencached.yaml").write_text(
            f"cache: {{ {cache or self._cache} }}\nrefresh: {{ {refresh} }}\n"
            f"audit: {{ to: none }}\ndefault_tenant: main\n"
            f"tenants:\n  main: {tenant % max_concurrent}  probe: {tenant % 8}"
        )

    def fill(self, keys, tenant="main"):
        """Has tokens minted that are not cached, and returns the last reply."""
        form = f'{{"op":"token","tenant":"{tenant}","subject":"%s"}}\n'
        with self.open() as lines:
            return lines.exchange(((form % key).encode() for key in keys), b'{"access_token"')

    def ask(self, line):
        """Returns the reply to an administrator's line on a new connection."""
        with Lines(self.admin_socket) as lines:
            reply = json.loads(lines.exchange([line.encode() + b"\n"], b"{"))
        if "error" in reply:
            raise RuntimeError(f"{line}: {reply}")
        return reply


class Lines:
    """A connection on which requests are answered by lines."""

    def __init__(self, path):
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(TIMEOUT)
        self._socket.connect(path)
        self._replies = self._socket.makefile("rb", buffering=1 << 20)

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        self._replies.close()
        self._socket.close()

    def exchange(self, requests, expected, together=256):
        """Sends requests, a few at a time, checks how each reply begins, and returns the last one."""
        batch, line = [], b""
        for request in requests:
            batch.append(request)
            if len(batch) == together:
                line = self._exchange(batch, expected)
                batch = []
        return self._exchange(batch, expected) if batch else line

    def send(self, data):
        """Sends requests whose replies are received later."""
        self._socket.sendall(data)

    def receive(self, expected):
        """Returns the next reply, and checks how it begins."""
        line = self._replies.readline()
        if not line.startswith(expected):
            raise RuntimeError(f"a wrong reply: {line[:300]!r}")
        return line

    def _exchange(self, batch, expected):
        self.send(b"".join(batch))
        return [self.receive(expected) for _ in batch][-1]


def keys(count, first=0):
    """Returns the names of keys."""
    return (KEY % number for number in range(first, first + count))


def parser(documentation):
    """Returns a parser of the options that all measurements have."""
    result = argparse.ArgumentParser(
        description=documentation, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    result.add_argument("programs", type=pathlib.Path, help="the directory of the daemon's programs")
    result.add_argument("own", type=pathlib.Path, help="the directory of the measurements' own programs")
    result.add_argument("--quick", action="store_true", help="measure shortly, to see that it works")
    result.add_argument("--pinned", action="store_true", help="give the load and the servers a processor each")
    result.add_argument("--results", type=pathlib.Path, help="write the results as JSON, too")
    return result


def write_results(arguments, results):
    """Writes the results to the file that the options name."""
    if arguments.results is not None:
        arguments.results.write_text(json.dumps(results, indent=1))
