"""One user of the machine tries to exhaust shared resources, while the requests of another one are timed.

Run by `make drill-quotas`, as root, to become the greedy user. For each quota the other user's latencies are measured
first without and then under the attack, and compared. The drill fails if a request of the other user fails, if the
greedy one is never rejected, or if the other's 99th percentile is more than twice its quiet value.
"""

import json
import os
import selectors
import socket
import subprocess
import sys
import tempfile
import time

from harness import Daemon, StandIn

GREEDY = 40_001
HOT = 100
SECONDS = 6.0
PER_SECOND = 400
# The seconds that the greedy user waits after each try: the drill is about quotas, not about shares of the processors.
GREED = 0.001


class Connection:
    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(20)
        self.socket.connect(path)
        self.file = self.socket.makefile("rb")

    def ask(self, **request):
        self.socket.sendall(json.dumps(request).encode() + b"\n")
        return json.loads(self.file.readline() or b"null")

    def close(self):
        self.file.close()
        self.socket.close()


# MARK: The greedy user, each of whose attacks is a process


def take_connections(path):
    """Opens connections, keeps them, and replaces those that it loses."""
    held = selectors.DefaultSelector()
    while True:
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(path)
        held.register(connection, selectors.EVENT_READ)
        # An event on a connection is its end: it was rejected, or closed in favour of another user.
        for key, _ in held.select(GREED):
            held.unregister(key.fileobj)
            key.fileobj.close()


def take_waiting(path):
    """Makes as many requests wait as it can, for users whose tokens never arrive."""
    connections = [socket.socket(socket.AF_UNIX) for _ in range(80)]
    for connection in connections:
        connection.connect(path)
        connection.setblocking(False)
    number = 0
    while True:
        for connection in connections:
            number += 1
            try:
                connection.send(b'{"op":"token","subject":"never:%d","timeout":300,"id":%d}\n' % (number % 50, number))
                connection.recv(1_000_000)
            except BlockingIOError:
                pass
            if number > 100_000:
                time.sleep(GREED)


def take_entries(path):
    """Requests tokens of many users, all the time."""
    connection = Connection(path)
    while True:
        for user in range(5_000):
            connection.ask(op="token", subject=f"listed{user}")
            time.sleep(10 * GREED)


ATTACKS = {"connections": take_connections, "waiting": take_waiting, "entries": take_entries}


# MARK: The other user


def timed(path, reconnects):
    """Requests hot users' tokens at a steady rate, and returns the sorted latencies and the misses."""
    latencies, failed = [], []
    connection = None if reconnects else Connection(path)
    begin = time.perf_counter()
    count = int(SECONDS * PER_SECOND)
    for index in range(count):
        pause = begin + index / PER_SECOND - time.perf_counter()
        if pause > 0:
            time.sleep(pause)
        start = time.perf_counter()
        if reconnects:
            connection = Connection(path)
        reply = connection.ask(op="token", subject=f"hot{index % HOT}")
        latencies.append(time.perf_counter() - start)
        if reconnects:
            connection.close()
        if (reply or {}).get("source") != "cache":
            failed.append(reply)
    return sorted(latencies), failed


def quantile(latencies, share):
    return latencies[min(len(latencies) - 1, int(len(latencies) * share))] * 1_000


def overloaded(admin):
    return admin.ask(op="stats")["uids"].get(str(GREEDY), {})


def drill(programs, quota):
    with tempfile.TemporaryDirectory() as directory:
        tenant = StandIn(programs, directory)
        daemon = Daemon(
            programs,
            directory,
            tenant,
            cache="max_entries: 1000",
            timeout="300s",
            further='sockets: { max_connections: 500, requests: { path: /x, mode: "0666" } }\n',
        )
        os.chmod(directory, 0o755)
        attacker = None
        try:
            admin = Connection(daemon.admin)
            warm = Connection(daemon.socket)
            for _ in range(2):
                for user in range(HOT):
                    warm.ask(op="token", subject=f"hot{user}")
            warm.close()
            reconnects = quota == "connections"
            timed(daemon.socket, reconnects)
            quiet, quiet_failed = timed(daemon.socket, reconnects)
            attacker = subprocess.Popen(
                ["setpriv", f"--reuid={GREEDY}", f"--regid={GREEDY}", "--clear-groups"]
                + [sys.executable, os.path.abspath(__file__), "--as", quota, daemon.socket],
            )
            deadline = time.monotonic() + 60
            while not is_full(quota, overloaded(admin)) and time.monotonic() < deadline:
                time.sleep(0.05)
            pressed, pressed_failed = timed(daemon.socket, reconnects)
            share = overloaded(admin)
        finally:
            if attacker:
                attacker.kill()
                attacker.wait()
            daemon.stop()
            tenant.stop()
        return quiet, pressed, quiet_failed + pressed_failed, share


def is_full(quota, share):
    """Returns true if the greedy user has all that it can get."""
    wanted = {"connections": 490, "waiting": 65_000, "entries": 850}[quota]
    return share.get(quota, 0) >= wanted


def main():
    if sys.argv[1] == "--as":
        return ATTACKS[sys.argv[2]](sys.argv[3])
    if os.geteuid() != 0:
        print("quotas: skipped: to be another user needs root")
        return None
    faults = []
    print("| the greedy user takes | p50 quiet, ms | p50 pressed, ms | p99 quiet, ms | p99 pressed, ms | ratio | failed |"
          " taken | refused |")
    print("|---|---|---|---|---|---|---|---|---|")
    for quota in sys.argv[2:] or ATTACKS:
        quiet, pressed, failed, share = drill(sys.argv[1], quota)
        ratio = quantile(pressed, 0.99) / quantile(quiet, 0.99)
        print(
            f"| {quota} | {quantile(quiet, 0.5):.3f} | {quantile(pressed, 0.5):.3f} | {quantile(quiet, 0.99):.3f} |"
            f" {quantile(pressed, 0.99):.3f} | {ratio:.2f} | {len(failed)} | {share.get(quota)} |"
            f" {share.get('overloaded')} |",
            flush=True,
        )
        if failed:
            faults.append(f"{quota}: {len(failed)} requests of the other user were no hits, such as {failed[0]}")
        if ratio > 2:
            faults.append(f"{quota}: the 99th percentile is {ratio:.2f} times its quiet value")
        if quota != "entries" and not share.get("overloaded"):
            faults.append(f"{quota}: the greedy user was never rejected")
    for fault in faults:
        print(f"quotas: {fault}", file=sys.stderr)
    sys.exit(1 if faults else 0)


main()
