"""Measures the slowest of the hits while other things happen, each beside a quiet time.

One application requests cached tokens at a steady rate on one connection. Quiet and loaded times alternate, and each
figure is the median of its rounds.

    python3 Benchmarks/tails.py PROGRAMS OWN [--quick] [--results FILE]
"""

import statistics

import background
import servers
from manager import Manager

PER_SECOND = 2_000
PROBED = 1_000
"""The number of tokens that are requested in turn."""


def measure(arguments):
    """Returns the medians by title."""
    users, rounds, seconds = (5_000, 1, 1) if arguments.quick else (100_000, 7, 3)
    tools = servers.Tools(arguments.programs, arguments.own)
    with servers.Stage(tools) as stage:
        cache = f"max_entries: {5 * users}, keep_across_restarts: true"
        daemon = servers.Daemon(stage, servers.Tenant(stage), cache, Manager(stage.directory))
        daemon.fill(servers.keys(users))
        daemon.fill(servers.keys(PROBED), tenant="probe")
        value = daemon.fill(servers.keys(1), tenant="probe")
        first = iter(range(users, 1 << 30, 10_000_000 // rounds))
        kinds = {
            "1,000 tokens a second are minted and kept": lambda: background.mint(daemon, 1_000, next(first)),
            "a reload a second": lambda: background.reload(daemon, 1),
            "statistics ten times a second": lambda: background.ask(daemon, '{"op":"stats"}', 0.1),
            "500 idle and 50 hostile connections": lambda: background.crowd(daemon),
        }
        probe = {"tenant": "probe", "keys": PROBED, "value": len(value), "per_second": PER_SECOND}
        probe |= {"seconds": seconds, "warm_up": 0.3}
        results = {}
        for title, work in kinds.items():
            quiet, loaded, done = [], [], []
            for _ in range(rounds):
                quiet.append(once(tools, daemon, background.nothing, probe)[0])
                times, count = once(tools, daemon, work(), probe)
                loaded.append(times)
                done.append(count / (seconds + probe["warm_up"]))
            results[title] = {
                "quiet": medians(quiet),
                "loaded": medians(loaded),
                "done_per_second": statistics.median(done),
            }
    return results


def once(tools, daemon, work, probe):
    """Returns the times of hits beside some work, and how much of it was done."""
    with background.beside(work) as until:
        before = until.done
        found = servers.finish(tools.start_probe(daemon, **probe))
        return found["times"], until.done - before


def medians(rounds):
    """Returns the median of each figure."""
    return {name: statistics.median(found[name] for found in rounds) for name in rounds[0]}


def table(results):
    """Returns the results as text."""
    lines = [
        f"{PER_SECOND:,} hits a second on one connection. Times in µs:",
        "",
        "| beside | p50 | quiet | p99 | quiet | p99.9 | quiet | ratio | longest | quiet | done a second |",
        "|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for title, found in results.items():
        loaded, quiet = found["loaded"], found["quiet"]
        ratio = loaded["p999"] / quiet["p999"]
        cells = [f"{loaded[name]:,.0f} | {quiet[name]:,.0f}" for name in ("p50", "p99", "p999")]
        cells += [
            f"{ratio:.1f}",
            f"{loaded['longest']:,.0f} | {quiet['longest']:,.0f}",
            f"{found['done_per_second']:,.1f}",
        ]
        lines.append(f"| {title} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main():
    arguments = servers.parser(__doc__).parse_args()
    results = measure(arguments)
    servers.write_results(arguments, results)
    print(table(results))


if __name__ == "__main__":
    main()
