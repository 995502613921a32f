"""The programs under a drill, and the load that requests tokens from them.

Everything runs on loopback and in a temporary directory. The load keeps an account of each user's token, so that it
knows for every request if its user had a valid one.
"""

import asyncio
import gc
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from dataclasses import dataclass, field


class StandIn:
    """The stand-in tenant's process."""

    def __init__(self, programs, directory, *options):
        self.earlier_calls = 0
        self.ready = os.path.join(directory, "tenant")
        self.log = open(os.path.join(directory, "tenant.log"), "wb")
        self.process = subprocess.Popen(
            [f"{programs}/standin-tenant", "--client-id", "drill", "--client-secret", "first", "--ready-file", self.ready]
            + list(options),
            stdout=self.log,
            stderr=self.log,
        )
        wait_for(lambda: os.path.exists(self.ready), self.process)
        with open(self.ready) as file:
            self.url = file.read().strip()

    def control(self, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            f"{self.url}/_control/{path}", data, {"content-type": "application/json"}, method="GET" if body is None else "POST"
        )
        with urllib.request.urlopen(request, timeout=10) as reply:
            return json.loads(reply.read() or b"null")

    def set(self, **settings):
        self.control("settings", settings)

    def calls(self):
        return self.earlier_calls + self.control("counters")["calls"]

    def recover(self):
        """Ends the script. This resets the counters, so the number of calls is kept here."""
        self.earlier_calls = self.calls()
        self.control("reset", {})

    def stop(self):
        end(self.process)
        self.log.close()


class Daemon:
    """The daemon, with a configuration of its own."""

    def __init__(self, programs, directory, tenant, cache="", refresh="", further="", **limits):
        self.programs, self.directory = programs, directory
        self.socket = os.path.join(directory, "requests.sock")
        self.admin = os.path.join(directory, "admin.sock")
        self.secret = os.path.join(directory, "secret")
        self.write_secret("first")
        self.configuration = os.path.join(directory, "tokencached.yaml")
        per_minute = limits.get("per_minute", 10_000_000)
        with open(self.configuration, "w") as file:
            file.write(f"cache: {{ {cache} }}\nrefresh: {{ {refresh} }}\n")
            file.write(f"{further}tenants:\n  main:\n")
            file.write(f"    host: {tenant.url}\n    client_id: drill\n    client_secret: {{ file: {self.secret} }}\n")
            file.write(f"    rate: {{ per_minute: {per_minute}, burst: {limits.get('burst', per_minute)} }}\n")
            file.write(f"    max_concurrent: {limits.get('max_concurrent', 32)}\n    timeout: {limits.get('timeout', '2s')}\n")
        self.start()

    def write_secret(self, secret):
        with open(self.secret, "w") as file:
            file.write(secret)
        os.chmod(self.secret, 0o600)

    def start(self):
        self.log = open(os.path.join(self.directory, "daemon.log"), "ab")
        self.process = subprocess.Popen(
            [
                f"{self.programs}/tokencached",
                "--config",
                self.configuration,
                "--socket",
                self.socket,
                "--admin-socket",
                self.admin,
            ],
            stdout=self.log,
            stderr=self.log,
        )
        wait_for(lambda: os.path.exists(self.admin) and os.path.exists(self.socket), self.process)

    def kill(self):
        """Ends the daemon like a crash, after which the sockets' names are still there."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def suspend(self, seconds):
        self.process.send_signal(signal.SIGSTOP)
        time.sleep(seconds)
        self.process.send_signal(signal.SIGCONT)

    def stop(self):
        end(self.process)
        self.log.close()


def wait_for(condition, process, seconds=10):
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline or process.poll() is not None:
            raise RuntimeError("a program did not start")
        time.sleep(0.01)


def end(process):
    if process.poll() is None:
        process.send_signal(signal.SIGCONT)
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@dataclass
class Account:
    """The results of the load's requests."""

    requests: int = 0
    errors: dict = field(default_factory=dict)
    errors_with_token: int = 0
    waits_with_token: list = field(default_factory=list)
    longest_wait: float = 0.0
    served: set = field(default_factory=set)

    def longest_with_token(self, quantile=0.999):
        waits = sorted(self.waits_with_token)
        return waits[min(len(waits) - 1, int(len(waits) * quantile))] if waits else 0.0


class Load:
    """Requests random users' tokens at a steady rate, over a few connections that are reopened when they are lost."""

    CONNECTIONS = 8

    def __init__(self, daemon, users, per_second, timeout=10):
        self.daemon, self.users, self.per_second, self.timeout = daemon, users, per_second, timeout
        self.account = Account()
        self.lives = {}  # user: (the end of the token by the monotonic clock, its margin)
        self.open = {}
        # The time in which the daemon was stopped from outside and then handled the requests that had piled up, which had to
        # wait for that.
        self.stopped = (0, 0)
        self.next_id = 0
        self.writers = [None] * self.CONNECTIONS
        self.is_running = False
        self.random = random.Random(4_242)

    async def catch_up(self):
        """Waits until all requests that were made by now are answered."""
        now = time.monotonic()
        while any(since < now for _, since, _ in self.open.values()):
            await asyncio.sleep(0.005)

    def forget_tokens(self):
        """Notes that the daemon has lost all tokens, also for the requests that wait."""
        self.lives.clear()
        self.open = {number: (user, since, False) for number, (user, since, _) in self.open.items()}

    def has_token(self, user):
        ends, margin = self.lives.get(user, (0, 0))
        # A reply has whole seconds, rounded down, so its lifetime is never too long.
        return ends - time.monotonic() > margin + 1

    async def run(self, script):
        """Makes requests as long as the drill's script runs."""
        self.is_running = True
        # A garbage collection stops the load for longer than a hit takes.
        gc.disable()
        # So would a thread that makes a control request, for the interpreter's usual 5 ms.
        sys.setswitchinterval(0.0001)
        readers = [asyncio.create_task(self.read(index)) for index in range(self.CONNECTIONS)]
        while None in self.writers:
            await asyncio.sleep(0.01)
        asking = asyncio.create_task(self.ask_on())
        await script
        self.is_running = False
        await asking
        deadline = time.monotonic() + self.timeout + 5
        while self.open and time.monotonic() < deadline:
            await asyncio.sleep(0.02)
        for reader in readers:
            reader.cancel()
        await asyncio.gather(*readers, return_exceptions=True)
        for user, _, _ in self.open.values():
            self.fail(user, "no reply")
        self.open = {}
        gc.enable()

    async def ask_on(self):
        interval = 1 / self.per_second
        due = time.monotonic()
        while self.is_running:
            due += interval
            await asyncio.sleep(max(0, due - time.monotonic()))
            self.ask(self.random.choice(self.users))

    async def ask_each(self, users):
        """Makes one request for each user, as fast as possible."""
        for number, user in enumerate(users):
            self.ask(user)
            if number % 64 == 63:
                await asyncio.sleep(0)

    def ask(self, user):
        self.next_id += 1
        self.account.requests += 1
        self.open[self.next_id] = (user, time.monotonic(), self.has_token(user))
        self.send(self.next_id, user)

    def send(self, number, user):
        # Without a connection, the request is sent once there is one again, as a client does with what can be repeated.
        if writer := self.writers[number % self.CONNECTIONS]:
            writer.write(b'{"op":"token","subject":"%s","id":%d,"timeout":%d}\n' % (user.encode(), number, self.timeout))

    async def read(self, index):
        while True:
            try:
                reader, self.writers[index] = await asyncio.open_unix_connection(self.daemon.socket)
                for number in [number for number in self.open if number % self.CONNECTIONS == index]:
                    self.send(number, self.open[number][0])
                while line := await reader.readline():
                    self.take(json.loads(line))
            except (ConnectionError, FileNotFoundError):
                pass
            self.writers[index] = None
            await asyncio.sleep(0.01)

    def take(self, reply):
        user, since, had_token = self.open.pop(reply["id"])
        now = time.monotonic()
        waited = now - since
        self.account.longest_wait = max(self.account.longest_wait, waited)
        if had_token and not self.stopped[0] <= since <= self.stopped[1]:
            self.account.waits_with_token.append(waited)
        if "error" in reply:
            return self.fail(user, reply["error"], had_token)
        left = reply["expires_in"]
        lifetime = max(left, 1)
        if user in self.lives and reply["source"] == "cache":
            return self.account.served.add(user)
        self.lives[user] = (now + left, min(30, 0.05 * lifetime))
        self.account.served.add(user)

    def fail(self, user, code, had_token=None):
        self.account.errors[code] = self.account.errors.get(code, 0) + 1
        if self.has_token(user) if had_token is None else had_token:
            self.account.errors_with_token += 1


class Stage:
    """A temporary directory with a stand-in tenant and a daemon in it."""

    def __init__(self, programs, tenant_options=(), **daemon_options):
        self.directory = tempfile.TemporaryDirectory(prefix="drill-")
        self.tenant = StandIn(programs, self.directory.name, *tenant_options)
        self.daemon = Daemon(programs, self.directory.name, self.tenant, **daemon_options)
        # The first control request takes longer, which isn't the daemon's fault.
        self.tenant.calls()

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        self.daemon.stop()
        self.tenant.stop()
        if error is not None:
            with open(os.path.join(self.directory.name, "daemon.log")) as log:
                print("".join(log.readlines()[-20:]))
        self.directory.cleanup()

    async def on_thread(self, work, *arguments):
        """Runs blocking work on another thread, so that it doesn't hold up the load."""
        return await asyncio.get_running_loop().run_in_executor(None, work, *arguments)
