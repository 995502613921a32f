"""Measures daemons that share an engine: a hit of the second level beside a mint, hits of the first level with and
without a fleet, the time that a logout takes to reach all machines, and the calls to the engine.

    python3 Benchmarks/fleet.py PROGRAMS OWN PART [--quick] [--results FILE]

PART is `levels`, `hits`, `logouts` or `calls`. The rounds of what is compared alternate. All machines of the fleet are
daemons on this one, and the tenant answers at once, so that a mint takes what the daemon and the engine need for it.
"""

import base64
import contextlib
import hashlib
import json
import selectors
import socket
import statistics
import time

import servers

SHAPES = [(1, 1), (16, 16)]
"""Numbers of connections, and of requests in flight on each."""
USERS = 10_000


class Place:
    """A directory of a stage, for one of several daemons."""

    def __init__(self, stage, name):
        self.tools, self.add = stage.tools, stage.add
        self.directory = stage.directory / name
        self.directory.mkdir()


class Machine(servers.Daemon):
    """A daemon that shares an engine with others, or one without a fleet."""

    def __init__(self, stage, tenant, name, engine):
        self._engine = engine
        place = Place(stage, name)
        key = place.directory / "fleet-key"
        key.write_text(base64.b64encode(bytes(range(32))).decode())
        key.chmod(0o600)
        super().__init__(place, tenant)
        if engine is not None:
            self.wait_until(lambda fleet: fleet["connected"])

    def configure(self, *arguments, **options):
        """Writes the configuration."""
        super().configure(*arguments, **options)
        if self._engine is not None:
            path = self._directory / "tokencached.yaml"
            fleet = f"url: 'unix://{self._engine.socket}', key: {{ file: {self._directory}/fleet-key }}, timeout: 5s"
            path.write_text(f"fleet: {{ {fleet} }}\n{path.read_text()}")

    def fleet(self):
        """Returns what the daemon says about its fleet."""
        return self.ask('{"op":"stats"}')["fleet"]

    def wait_until(self, condition):
        """Waits until the daemon's fleet is in a state."""
        deadline = time.monotonic() + servers.TIMEOUT
        while not condition(self.fleet()):
            if time.monotonic() > deadline:
                raise RuntimeError(f"the fleet isn't ready: {self.fleet()}")
            time.sleep(0.01)


@contextlib.contextmanager
def fleet(arguments, count):
    """Starts a tenant, an engine and daemons, and returns the stage, the tenant and the daemons."""
    with servers.Stage(servers.Tools(arguments.programs, arguments.own)) as stage:
        tenant, engine = servers.Tenant(stage), servers.Redis(stage)
        yield stage, tenant, [Machine(stage, tenant, f"machine-{number}", engine) for number in range(count)]


class Levels:
    """A mint, a hit of the second level and a hit of the first one, on one connection, one request after another."""

    def measure(self, arguments):
        """Returns the times by kind, in microseconds."""
        rounds, users = (1, 200) if arguments.quick else (7, 2_000)
        results = {}
        with fleet(arguments, 2) as (stage, tenant, (first, second)):
            alone = Machine(stage, tenant, "alone", None)
            for number in range(rounds):
                names = list(servers.keys(users, first=number * users))
                kinds = {
                    "a mint without a fleet": (alone, "tenant"),
                    "a mint with a fleet": (first, "tenant"),
                    "a hit of the second level": (second, "fleet"),
                    "a hit of the first level": (second, "cache"),
                }
                for kind, (daemon, source) in kinds.items():
                    results.setdefault(kind, []).append(self._times(daemon, names, source))
        return {kind: medians_of(found) for kind, found in results.items()}

    @staticmethod
    def _times(daemon, names, source):
        times, form = [], f'"source":"{source}"'.encode()
        with daemon.open() as lines:
            for name in names:
                began = time.perf_counter()
                line = lines.exchange([b'{"op":"token","subject":"%s"}\n' % name.encode()], b'{"access_token"')
                times.append((time.perf_counter() - began) * 1e6)
                if form not in line:
                    raise RuntimeError(f"not from the {source}: {line[-200:]!r}")
        return {"p50": statistics.median(times), "p99": statistics.quantiles(times, n=100)[98], "longest": max(times)}

    @staticmethod
    def table(results):
        """Returns the results as text."""
        lines = ["| | p50 µs | p99 µs | longest µs |", "|---|---:|---:|---:|"]
        for kind, found in results.items():
            lines.append(f"| {kind} | {found['p50']:,.0f} | {found['p99']:,.0f} | {found['longest']:,.0f} |")
        return "\n".join(lines)


class Hits:
    """Hits of the first level with a fleet beside those without."""

    def measure(self, arguments):
        """Returns the medians by shape."""
        rounds, seconds = (1, 0.3) if arguments.quick else (9, 1.2)
        with fleet(arguments, 1) as (stage, tenant, (shared,)):
            alone = Machine(stage, tenant, "alone", None)
            for daemon in (shared, alone):
                daemon.fill(servers.keys(USERS))
            value = len(shared.fill(servers.keys(1)))
            load = {"keys": USERS, "value": value, "seconds": seconds, "warm_up": seconds / 6}
            rows = []
            for connections, in_flight in SHAPES:
                found = {"with": [], "without": []}
                for number in range(rounds):
                    pairs = [("with", shared), ("without", alone)]
                    for name, daemon in pairs if number % 2 == 0 else reversed(pairs):
                        result = stage.tools.press(daemon, connections=connections, in_flight=in_flight, **load)
                        found[name].append({**result["times"], "per_second": result["per_second"]})
                medians = {name: medians_of(results) for name, results in found.items()}
                rows.append({"connections": connections, "in_flight": in_flight, **medians})
        return {"rounds": rounds, "seconds": seconds, "rows": rows}

    @staticmethod
    def table(results):
        """Returns the results as text."""
        lines = [
            f"{USERS:,} keys, medians of {results['rounds']} alternating rounds of {results['seconds']} s:",
            "",
            "| connections | in flight | with a fleet, hits/s | without | ratio | p99 µs with | without |",
            "|---:|---:|---:|---:|---:|---:|---:|",
        ]
        for row in results["rows"]:
            on, off = row["with"], row["without"]
            lines.append(
                f"| {row['connections']} | {row['in_flight']} | {on['per_second']:,.0f} | {off['per_second']:,.0f} "
                f"| {on['per_second'] / off['per_second']:.3f} | {on['p99']:,.1f} | {off['p99']:,.1f} |"
            )
        return "\n".join(lines)


class Logouts:
    """The time from a logout on one machine until all others have dropped the user's token."""

    PAUSE = 0.001
    """Seconds between two questions to the same daemon, so that the questions leave it most of its time."""

    def measure(self, arguments):
        """Returns the times in milliseconds."""
        count, rounds = (5, 5) if arguments.quick else (50, 40)
        times = []
        with fleet(arguments, count) as (_, _, machines):
            for number, name in enumerate(servers.keys(rounds)):
                for machine in machines:
                    machine.fill([name])
                times += self._logout(machines[number % count], machines, name)
        times.sort()
        figures = {"median": statistics.median(times), "p99": times[-1 - len(times) // 100], "longest": times[-1]}
        return {"machines": count, "logouts": rounds, **figures}

    def _logout(self, sender, machines, name):
        """Returns the time that each of the other machines took to hear of a logout."""
        question = b'{"op":"explain","subject":"%s"}\n' % name.encode()
        selector, times = selectors.DefaultSelector(), []
        with contextlib.ExitStack() as stack:
            for machine in machines:
                if machine is not sender:
                    asked = stack.enter_context(socket.socket(socket.AF_UNIX))
                    asked.connect(machine.admin_socket)
                    selector.register(asked, selectors.EVENT_READ, bytearray())
            logout = stack.enter_context(sender.open())
            began = time.perf_counter()
            logout.send(b'{"op":"revoke","subject":"%s"}\n' % name.encode())
            waiting = [(began, index, key.fileobj) for index, key in enumerate(selector.get_map().values())]
            while selector.get_map():
                now = time.perf_counter()
                if now - began > servers.TIMEOUT:
                    raise RuntimeError("a logout didn't reach all machines")
                for due in [due for due in waiting if due[0] <= now]:
                    waiting.remove(due)
                    due[2].sendall(question)
                for key, _ in selector.select(self.PAUSE / 2):
                    key.data.extend(key.fileobj.recv(65_536))
                    if not key.data.endswith(b"\n"):
                        continue
                    now = time.perf_counter()
                    if json.loads(key.data)["source"] == "cache":
                        key.data.clear()
                        waiting.append((now + self.PAUSE, key.fd, key.fileobj))
                    else:
                        times.append((now - began) * 1_000)
                        selector.unregister(key.fileobj)
            logout.receive(b'{"revoked":true')
        return times

    @staticmethod
    def table(results):
        """Returns the results as text."""
        return "\n".join(
            [
                "| machines | logouts | median ms | p99 ms | longest ms |",
                "|---:|---:|---:|---:|---:|",
                f"| {results['machines']} | {results['logouts']} | {results['median']:.1f} | {results['p99']:.1f} "
                f"| {results['longest']:.1f} |",
            ]
        )


class Calls:
    """The calls to the engine that each kind of request takes."""

    def measure(self, arguments):
        """Returns the calls of both machines for a request, by kind."""
        users = 200 if arguments.quick else 2_000
        with fleet(arguments, 2) as (_, _, (first, second)):
            names = list(servers.keys(users))
            with first.open() as lines:
                token = json.loads(lines.exchange([self._request("token", names[0])], b"{"))["access_token"]
            digest = hashlib.sha256(token.encode()).hexdigest()
            report = self._request("invalidate", names[0], token_sha256=digest)
            kinds = {
                "a mint": (first, [self._request("token", name) for name in names[1:]]),
                "a hit of the second level": (second, [self._request("token", name) for name in names[1:]]),
                "a hit of the first level": (second, [self._request("token", name) for name in names[1:]]),
                "a logout of a user with a token on both machines": (
                    first,
                    [self._request("revoke", name) for name in names[1:]],
                ),
                "a report of a token that an API rejected": (first, [report]),
            }
            return {kind: self._calls([first, second], *work) for kind, work in kinds.items()}

    @staticmethod
    def _request(kind, name, **further):
        return json.dumps({"op": kind, "subject": name, **further}).encode() + b"\n"

    @staticmethod
    def _calls(machines, asked, requests):
        before = sum(settled(machine) for machine in machines)
        with asked.open() as lines:
            lines.exchange(requests, b"{")
        return (sum(settled(machine) for machine in machines) - before) / len(requests)

    @staticmethod
    def table(results):
        """Returns the results as text."""
        lines = ["| request | calls to the engine |", "|---|---:|"]
        return "\n".join(lines + [f"| {kind} | {calls:.2f} |" for kind, calls in results.items()])


def settled(machine):
    """Returns a machine's calls to the engine, once no more of them follow."""
    before, after = None, machine.fleet()["calls"]
    while after != before:
        time.sleep(0.2)
        before, after = after, machine.fleet()["calls"]
    return after


def medians_of(rounds):
    """Returns the median of each figure."""
    return {name: statistics.median(found[name] for found in rounds) for name in rounds[0]}


PARTS = {"levels": Levels, "hits": Hits, "logouts": Logouts, "calls": Calls}


def main():
    parser = servers.parser(__doc__)
    parser.add_argument("part", choices=PARTS)
    arguments = parser.parse_args()
    part = PARTS[arguments.part]()
    results = part.measure(arguments)
    servers.write_results(arguments, results)
    print(part.table(results))


if __name__ == "__main__":
    main()
