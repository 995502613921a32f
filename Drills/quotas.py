"""One user of the machine tries to take all that is shared; another one's requests are timed meanwhile.

Run by `make drill-quotas`, as root: the greedy user is another one. For each quota the other's latencies are taken first
while all is quiet, then under the attack, and compared. It fails where a request of the other user fails, where the
greedy one is never refused, or where the other's 99th percentile is more than twice its quiet value.
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
# The greedy user rests so long after each try: what is drilled are the quotas, not how a machine shares its processors.
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


# MARK: The greedy user: what it does, each a program of its own.


def take_connections(path):
    """Opens connections, keeps them, and opens others in place of those that it loses."""
    held = selectors.DefaultSelector()
    while True:
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(path)
        held.register(connection, selectors.EVENT_READ)
        # Whatever comes on one is its end: it was refused, or had to give way.
        for key, _ in held.select(GREED):
            held.unregister(key.fileobj)
            key.fileobj.close()


def take_places(path):
    """Has as many requests wait as it can, for users whose tokens don't come."""
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
    """Lists all users, again and again."""
    connection = Connection(path)
    while True:
        for user in range(5_000):
            connection.ask(op="token", subject=f"listed{user}")
            time.sleep(10 * GREED)


ATTACKS = {"connections": take_connections, "waiting": take_places, "entries": take_entries}


# MARK: The other user


def timed(path, reconnects):
    """Asks for hot users at a steady rate; returns the latencies in order, and how many requests were no hit."""
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
    with tempfile.TemporaryDirectory() as folder:
        tenant = StandIn(programs, folder)
        daemon = Daemon(
            programs,
            folder,
            tenant,
            cache="max_entries: 1000",
            timeout="300s",
            further='sockets: { max_connections: 500, requests: { path: /x, mode: "0666" } }\n',
        )
        os.chmod(folder, 0o755)
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
    """Whether the greedy user has what there is to take."""
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
            faults.append(f"{quota}: the greedy user was never refused")
    for fault in faults:
        print(f"quotas: {fault}", file=sys.stderr)
    sys.exit(1 if faults else 0)


main()
