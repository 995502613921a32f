"""Measures the time until a restarted daemon serves restored tokens, and the delay that keeping tokens adds to hits.

A stand-in for the service manager holds the sockets and the stored descriptors, as systemd does; no systemd is needed.

    python3 Benchmarks/warm_start.py PROGRAMS [--users N] [--starts N]
"""

import argparse
import fcntl
import multiprocessing
import os
import pathlib
import signal
import socket
import statistics
import subprocess
import tempfile
import threading
import time

FIRST_DESCRIPTOR = 3
"""The first descriptor that the service manager passes (sd_listen_fds(3))."""
TIMEOUT = 120
"""The limit for each step of the measurement, in seconds."""


class Manager:
    """Holds sockets and stored descriptors, and hands them to each daemon that it starts."""

    def __init__(self, directory):
        self.store = {}
        self._listening = {name: self._listen(directory / f"{name}.sock") for name in ("requests", "admin")}
        self._notifications = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._notifications.bind(str(directory / "notifications"))
        self._path = str(directory / "notifications")
        self._ready = threading.Event()
        threading.Thread(target=self._read_notifications, daemon=True).start()

    @staticmethod
    def _listen(path):
        listening = socket.socket(socket.AF_UNIX)
        listening.bind(str(path))
        listening.listen(4096)
        return listening

    def _read_notifications(self):
        while True:
            message, descriptors, _, _ = socket.recv_fds(self._notifications, 65536, 16)
            lines = dict(line.split("=", 1) for line in message.decode().splitlines() if "=" in line)
            name = lines.get("FDNAME")
            if lines.get("FDSTORE") == "1":
                self.store.setdefault(name, []).extend(descriptors)
                continue
            if lines.get("FDSTOREREMOVE") == "1":
                for descriptor in self.store.pop(name, []):
                    os.close(descriptor)
            if lines.get("READY") == "1":
                self._ready.set()
            # The descriptor of a BARRIER=1: closing it confirms that all earlier notifications were read.
            for descriptor in descriptors:
                os.close(descriptor)

    def start(self, command, log):
        self._ready.clear()
        handed_over = [(name, listening.fileno()) for name, listening in self._listening.items()]
        handed_over += [(name, descriptor) for name, kept in self.store.items() for descriptor in kept]
        # Far above their final numbers first, so that none is overwritten before it is moved.
        moved = [fcntl.fcntl(descriptor, fcntl.F_DUPFD, 64) for _, descriptor in handed_over]
        environment = {
            **os.environ,
            "NOTIFY_SOCKET": self._path,
            "LISTEN_FDS": str(len(handed_over)),
            "LISTEN_FDNAMES": ":".join(name for name, _ in handed_over),
        }
        # The shell becomes the daemon, so its process ID is the one that LISTEN_PID needs.
        script = (
            "".join(f"exec {FIRST_DESCRIPTOR + index}<&{descriptor};" for index, descriptor in enumerate(moved))
            + 'LISTEN_PID=$$ exec "$@"'
        )
        process = subprocess.Popen(
            ["bash", "-c", script, "bash", *command], env=environment, pass_fds=moved, stderr=log, stdout=log
        )
        for descriptor in moved:
            os.close(descriptor)
        return process

    def wait_until_ready(self):
        if not self._ready.wait(TIMEOUT):
            raise RuntimeError("the daemon is not ready")


class Programs:
    """A stand-in tenant and a daemon that the manager starts."""

    def __init__(self, programs, directory, manager, settings):
        self._manager = manager
        self.log = directory / "log"
        (directory / "secret").write_text("bench-secret")
        (directory / "secret").chmod(0o600)
        ready = directory / "tenant"
        options = {"--client-id": "bench", "--client-secret": "bench-secret", "--ready-file": ready}
        self._tenant = subprocess.Popen(
            [programs / "standin-tenant", *(word for option in options.items() for word in option)],
            stdout=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + TIMEOUT
        while not ready.exists():
            if time.monotonic() > deadline or self._tenant.poll() is not None:
                raise RuntimeError("the tenant did not start")
            time.sleep(0.01)
        configuration = directory / "tokencached.yaml"
        configuration.write_text(
            f"cache: {{ max_entries: 200000, {settings} }}\n"
            "tenants:\n"
            f"  main: {{ host: '{ready.read_text().strip()}', client_id: bench,\n"
            f"          client_secret: {{ file: {directory}/secret }},\n"
            "          rate: { per_minute: 10000000, burst: 10000000 }, max_concurrent: 64 }\n"
        )
        self._command = [programs / "tokencached", "--config", configuration]
        self.daemon = None

    def start(self):
        """Starts the daemon and returns the seconds until it was ready."""
        began = time.monotonic()
        with open(self.log, "a") as log:
            self.daemon = self._manager.start(self._command, log)
        self._manager.wait_until_ready()
        return time.monotonic() - began

    def memory(self):
        """The daemon's resident memory in MiB, including the files of kept tokens."""
        status = pathlib.Path(f"/proc/{self.daemon.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0]) // 1024

    def kill(self):
        """Kills the daemon, as a crash would."""
        self.daemon.send_signal(signal.SIGKILL)
        self.daemon.wait()

    def end(self):
        for process in (self.daemon, self._tenant):
            if process is not None and process.poll() is None:
                process.kill()
                process.wait()


def connect(directory):
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(TIMEOUT)
    connection.connect(str(directory / "requests.sock"))
    return connection


def request(number):
    return b'{"op":"token","subject":"user-%d"}\n' % number


def fill(directory, users, together=256):
    """Requests tokens for many users and returns how many came from the cache."""
    cached = 0
    with connect(directory) as connection, connection.makefile("rb") as replies:
        for start in range(0, users, together):
            numbers = range(start, min(start + together, users))
            connection.sendall(b"".join(map(request, numbers)))
            for _ in numbers:
                line = replies.readline()
                if b'"access_token"' not in line:
                    raise RuntimeError(f"no token: {line!r}")
                cached += b'"source":"cache"' in line
    return cached


def ask_one(directory, ended, answers):
    """Requests one user's token repeatedly in a process of its own and records the time of each reply."""
    waits = []
    with connect(directory) as connection, connection.makefile("rb") as replies:
        while not ended.is_set():
            began = time.monotonic()
            connection.sendall(request(0))
            replies.readline()
            waits.append(time.monotonic() - began)
            time.sleep(0.0005)
    answers.put(waits)


def waits_during_fill(programs, users, settings):
    """Returns the times of hits while tokens are minted for many users."""
    with tempfile.TemporaryDirectory() as name:
        directory = pathlib.Path(name)
        running = Programs(programs, directory, Manager(directory), settings)
        try:
            running.start()
            fill(directory, 1)
            ended, answers = multiprocessing.Event(), multiprocessing.Queue()
            asking = multiprocessing.Process(target=ask_one, args=(directory, ended, answers))
            asking.start()
            fill(directory, users)
            ended.set()
            waits = sorted(answers.get(timeout=TIMEOUT))
            asking.join()
            return waits
        finally:
            running.end()


def warm_starts(programs, users, starts):
    """Prints the time of starts with no tokens and with all tokens kept."""
    with tempfile.TemporaryDirectory() as name:
        directory = pathlib.Path(name)
        running = Programs(programs, directory, Manager(directory), "keep_across_restarts: true")
        try:
            cold = []
            for _ in range(starts):
                cold.append(running.start())
                running.kill()
            running.start()
            empty = running.memory()
            fill(directory, users)
            filled = running.memory()
            warm, first = [], []
            for _ in range(starts):
                running.kill()
                began = time.monotonic()
                warm.append(running.start())
                cached = fill(directory, 1)
                first.append(time.monotonic() - began)
                if cached != 1:
                    raise RuntimeError("the first answer was not from the cache")
            if (cached := fill(directory, users)) != users:
                raise RuntimeError(f"of {users} tokens only {cached} were kept")
            for title, values in (("empty", cold), ("warm", warm), ("warm, first answer", first)):
                low, middle, high = (1_000 * figure(values) for figure in (min, statistics.median, max))
                print(f"| {title} | {low:.0f} | {middle:.0f} | {high:.0f} |")
            warmed = running.memory()
            print(f"\nResident memory: {empty} MiB when empty, {filled} MiB full, {warmed} MiB after a warm start")
        finally:
            running.end()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("programs", type=pathlib.Path, help="the directory of the built programs")
    parser.add_argument("--users", type=int, default=100_000)
    parser.add_argument("--starts", type=int, default=5)
    arguments = parser.parse_args()
    print(f"{arguments.users} tokens, {arguments.starts} starts of each kind; ms from the start to being ready\n")
    print("| start | least | median | most |\n|---|---:|---:|---:|")
    warm_starts(arguments.programs, arguments.users, arguments.starts)
    print(f"\nA hit's wait in ms while {arguments.users} tokens are minted\n")
    print("| tokens are kept | p50 | p99 | p99.9 | longest |\n|---|---:|---:|---:|---:|")
    for kept in ("false", "true"):
        waits = waits_during_fill(arguments.programs, arguments.users, f"keep_across_restarts: {kept}")
        shown = [waits[min(len(waits) - 1, int(len(waits) * share))] * 1_000 for share in (0.5, 0.99, 0.999, 1)]
        print(f"| {kept} | " + " | ".join(f"{value:.2f}" for value in shown) + " |")


if __name__ == "__main__":
    main()
