"""Measures how soon a daemon serves what an earlier one has kept, and whom the keeping holds up.

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
"""Where descriptors that are handed over begin (sd_listen_fds(3))."""
PATIENCE = 120
"""Seconds that anything may take before the measurement gives up."""


class Manager:
    """Holds sockets and stored descriptors, and hands them to each daemon that it starts."""

    def __init__(self, folder):
        self.store = {}
        self._listening = {name: self._listen(folder / f"{name}.sock") for name in ("requests", "admin")}
        self._notices = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._notices.bind(str(folder / "notices"))
        self._path = str(folder / "notices")
        self._ready = threading.Event()
        threading.Thread(target=self._read_notices, daemon=True).start()

    @staticmethod
    def _listen(path):
        listening = socket.socket(socket.AF_UNIX)
        listening.bind(str(path))
        listening.listen(4096)
        return listening

    def _read_notices(self):
        while True:
            message, descriptors, _, _ = socket.recv_fds(self._notices, 65536, 16)
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
            # The descriptor of a BARRIER=1: closing it says that everything before it was read.
            for descriptor in descriptors:
                os.close(descriptor)

    def start(self, command, log):
        self._ready.clear()
        handed_over = [(name, listening.fileno()) for name, listening in self._listening.items()]
        handed_over += [(name, descriptor) for name, kept in self.store.items() for descriptor in kept]
        # Far above their places first, so that none is overwritten before it is moved.
        moved = [fcntl.fcntl(descriptor, fcntl.F_DUPFD, 64) for _, descriptor in handed_over]
        environment = {
            **os.environ,
            "NOTIFY_SOCKET": self._path,
            "LISTEN_FDS": str(len(handed_over)),
            "LISTEN_FDNAMES": ":".join(name for name, _ in handed_over),
        }
        # The shell's number is the daemon's, as LISTEN_PID has to be.
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
        if not self._ready.wait(PATIENCE):
            raise RuntimeError("the daemon is not ready")


class Programs:
    """A tenant and a daemon that a manager starts."""

    def __init__(self, programs, folder, manager, settings):
        self._manager = manager
        self.log = folder / "log"
        (folder / "secret").write_text("bench-secret")
        (folder / "secret").chmod(0o600)
        ready = folder / "tenant"
        options = {"--client-id": "bench", "--client-secret": "bench-secret", "--ready-file": ready}
        self._tenant = subprocess.Popen(
            [programs / "standin-tenant", *(word for option in options.items() for word in option)],
            stdout=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + PATIENCE
        while not ready.exists():
            if time.monotonic() > deadline or self._tenant.poll() is not None:
                raise RuntimeError("the tenant did not start")
            time.sleep(0.01)
        configuration = folder / "tokencached.yaml"
        configuration.write_text(
            f"cache: {{ max_entries: 200000, {settings} }}\n"
            "tenants:\n"
            f"  main: {{ host: '{ready.read_text().strip()}', client_id: bench,\n"
            f"          client_secret: {{ file: {folder}/secret }},\n"
            "          rate: { per_minute: 10000000, burst: 10000000 }, max_concurrent: 64 }\n"
        )
        self._command = [programs / "tokencached", "--config", configuration]
        self.daemon = None

    def start(self):
        """Starts the daemon, and returns after how many seconds it was ready."""
        began = time.monotonic()
        with open(self.log, "a") as log:
            self.daemon = self._manager.start(self._command, log)
        self._manager.wait_until_ready()
        return time.monotonic() - began

    def memory(self):
        """The daemon's resident memory in MiB, with what is kept for the next one."""
        status = pathlib.Path(f"/proc/{self.daemon.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0]) // 1024

    def kill(self):
        """As a crash would end it."""
        self.daemon.send_signal(signal.SIGKILL)
        self.daemon.wait()

    def end(self):
        for process in (self.daemon, self._tenant):
            if process is not None and process.poll() is None:
                process.kill()
                process.wait()


def connect(folder):
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(PATIENCE)
    connection.connect(str(folder / "requests.sock"))
    return connection


def request(number):
    return b'{"op":"token","subject":"user-%d"}\n' % number


def fill(folder, users, together=256):
    """Has tokens minted, and returns how many of them came from the cache."""
    cached = 0
    with connect(folder) as connection, connection.makefile("rb") as replies:
        for start in range(0, users, together):
            numbers = range(start, min(start + together, users))
            connection.sendall(b"".join(map(request, numbers)))
            for _ in numbers:
                line = replies.readline()
                if b'"access_token"' not in line:
                    raise RuntimeError(f"no token: {line!r}")
                cached += b'"source":"cache"' in line
    return cached


def ask_one(folder, ended, answers):
    """Asks for one user's token again and again, in a process of its own, and notes how long each answer took."""
    waits = []
    with connect(folder) as connection, connection.makefile("rb") as replies:
        while not ended.is_set():
            began = time.monotonic()
            connection.sendall(request(0))
            replies.readline()
            waits.append(time.monotonic() - began)
            time.sleep(0.0005)
    answers.put(waits)


def waits_during_fill(programs, users, settings):
    """The waits for a hit while tokens are minted for many."""
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        running = Programs(programs, folder, Manager(folder), settings)
        try:
            running.start()
            fill(folder, 1)
            ended, answers = multiprocessing.Event(), multiprocessing.Queue()
            asking = multiprocessing.Process(target=ask_one, args=(folder, ended, answers))
            asking.start()
            fill(folder, users)
            ended.set()
            waits = sorted(answers.get(timeout=PATIENCE))
            asking.join()
            return waits
        finally:
            running.end()


def warm_starts(programs, users, starts):
    """Prints how long starts take with nothing and with everything kept."""
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        running = Programs(programs, folder, Manager(folder), "keep_across_restarts: true")
        try:
            cold = []
            for _ in range(starts):
                cold.append(running.start())
                running.kill()
            running.start()
            empty = running.memory()
            fill(folder, users)
            filled = running.memory()
            warm, first = [], []
            for _ in range(starts):
                running.kill()
                began = time.monotonic()
                warm.append(running.start())
                cached = fill(folder, 1)
                first.append(time.monotonic() - began)
                if cached != 1:
                    raise RuntimeError("the first answer was not from the cache")
            if (cached := fill(folder, users)) != users:
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
    parser.add_argument("programs", type=pathlib.Path, help="the folder of the built programs")
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
