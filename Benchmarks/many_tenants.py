"""Measures a daemon with many tenants: start, memory, reload, statistics, scrape, and a hit beside them.

    python3 Benchmarks/many_tenants.py PROGRAMS OWN [--quick] [--tenants N ...] [--results FILE]

Each tenant is a file of `tenants_directory` with a secret of its own. One of them is called, the others never are.
"""

import statistics
import time

import servers

MIB = 1 << 20
IDLE = 5
"""The time in which the idle daemon's processor time is measured, in seconds."""
PER_SECOND = 2_000


class Daemon(servers.Daemon):
    """A daemon with a number of tenants, of which `t0` is called."""

    def __init__(self, stage, tenant, tenants):
        self._tenants = tenants
        for name in ("tenants.d", "secrets"):
            (stage.directory / name).mkdir()
        super().__init__(stage, tenant)

    def configure(self):
        """Writes the configuration and the files of all tenants."""
        (self._directory / "tokencached.yaml").write_text(
            f"tenants_directory: {self._directory}/tenants.d\ndefault_tenant: t0\naudit: {{ to: none }}\n"
        )
        for number in range(self._tenants):
            secret = self._directory / "secrets" / f"t{number}"
            secret.write_text("bench-secret")
            secret.chmod(0o600)
            self._write(number)

    def _write(self, number, further=""):
        host = self._tenant.url if number == 0 else f"https://t{number}.example"
        (self._directory / "tenants.d" / f"t{number}.yaml").write_text(
            f"host: {host}\nclient_id: bench\nclient_secret: {{ file: {self._directory}/secrets/t{number} }}\n{further}"
        )

    def change_one(self, repeat):
        """Changes the last tenant's file, and has the daemon reload it."""
        self._write(self._tenants - 1, f"max_concurrent: {repeat % 2 + 1}\n")
        self.ask('{"op":"reload"}')

    def restart(self):
        """Ends the daemon, starts it, and returns the seconds until it answers."""
        self.stop()
        began = time.monotonic()
        self.begin()
        while not self._answers():
            if self.process.poll() is not None or time.monotonic() - began > servers.TIMEOUT:
                raise RuntimeError("the daemon doesn't start")
            time.sleep(0.001)
        return time.monotonic() - began

    def _answers(self):
        """Returns true if the daemon answers."""
        try:
            with self.open() as lines:
                lines.exchange([b'{"op":"hello"}\n'], b'{"server"')
        except OSError:
            return False
        return True


def measure(arguments, tenants):
    """Returns the results with a number of tenants."""
    repeats = 2 if arguments.quick else 5
    with servers.Stage(servers.Tools(arguments.programs, arguments.own)) as stage:
        daemon = Daemon(stage, servers.Tenant(stage), tenants)
        starts = [1_000 * daemon.restart() for _ in range(repeats)]
        value = daemon.fill(servers.keys(1), tenant="t0")
        before = daemon.processor_time()
        time.sleep(IDLE)
        idle = 1_000 * (daemon.processor_time() - before) / IDLE
        memory = daemon.memory() / MIB
        probe = {"value": len(value), "per_second": PER_SECOND, "seconds": servers.TIMEOUT}
        steps = {
            "nothing": lambda _: time.sleep(0.1),
            "`reload` that changes one tenant": daemon.change_one,
            "`stats`": lambda _: daemon.ask('{"op":"stats"}'),
            "`metrics`": lambda _: daemon.ask('{"op":"metrics"}'),
            "`health`": lambda _: daemon.ask('{"op":"health"}'),
        }
        rows = {
            title: median([once(stage.tools, daemon, probe, step, repeat) for repeat in range(repeats)])
            for title, step in steps.items()
        }
    return {"start_ms": statistics.median(starts), "memory_mib": memory, "idle_ms_per_second": idle, "steps": rows}


def once(tools, daemon, probe, step, repeat):
    """Returns the time of a step and of the slowest hit beside it, in milliseconds."""
    hits = tools.start_probe(daemon, **probe)
    time.sleep(0.15)
    began = time.monotonic()
    step(repeat)
    taken = time.monotonic() - began
    time.sleep(0.1)
    hits.terminate()
    return {"ms": 1_000 * taken, "slowest_ms": servers.finish(hits)["times"]["longest"] / 1_000}


def median(found):
    """Returns the median of each figure."""
    return {name: statistics.median(one[name] for one in found) for name in found[0]}


def table(results):
    """Returns the results as text."""
    lines = [
        "| | "
        + " | ".join(f"{tenants:,} {'tenant' if tenants == 1 else 'tenants'} | slowest hit" for tenants in results)
        + " |",
        "|---|" + "---:|---:|" * len(results),
        "| start | " + " | ".join(f"{found['start_ms']:.0f} ms | " for found in results.values()) + " |",
        "| resident memory | " + " | ".join(f"{found['memory_mib']:.0f} MiB | " for found in results.values()) + " |",
        "| processor time in a second without requests | "
        + " | ".join(f"{found['idle_ms_per_second']:.1f} ms | " for found in results.values())
        + " |",
    ]
    for title in next(iter(results.values()))["steps"]:
        steps = [found["steps"][title] for found in results.values()]
        cells = (
            f"{'' if title == 'nothing' else format(step['ms'], '.1f') + ' ms'} | {step['slowest_ms']:.1f} ms"
            for step in steps
        )
        lines.append(f"| {title} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main():
    parser = servers.parser(__doc__)
    parser.add_argument("--tenants", type=int, nargs="+", default=[1, 1_000])
    arguments = parser.parse_args()
    results = {tenants: measure(arguments, tenants) for tenants in arguments.tenants}
    servers.write_results(arguments, results)
    print(table(results))


if __name__ == "__main__":
    main()
