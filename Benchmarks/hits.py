"""Measures hits of the daemon beside GETs of the same bytes from Redis and memcached, and beside a bare epoll loop.

The rounds of the servers alternate, so that a slower machine slows all of them. Each figure is the median of all
rounds.

    python3 Benchmarks/hits.py PROGRAMS OWN [--quick] [--pinned] [--results FILE]
"""

import statistics

import servers

SHAPES = [(1, 1), (1, 16), (16, 1), (16, 16), (64, 1), (64, 16)]
"""Numbers of connections, and of requests in flight on each."""
USERS = 10_000


def measure(arguments):
    """Returns the medians by shape and server, and the length of a value."""
    rounds, seconds = (1, 0.3) if arguments.quick else (7, 1.2)
    with servers.Stage(servers.Tools(arguments.programs, arguments.own, arguments.pinned)) as stage:
        daemon = servers.Daemon(stage, servers.Tenant(stage))
        daemon.fill(servers.keys(USERS))
        # The second reply is a hit, as in the measurement.
        value = daemon.fill(servers.keys(1))
        if b'"source":"cache"' not in value:
            raise RuntimeError("the daemon should have answered from its cache")
        others = [servers.Redis(stage), servers.Memcached(stage)]
        for other in others:
            other.store(servers.keys(USERS), value)
        measured = [daemon, *others, servers.Loop(stage, len(value))]
        load = {"keys": USERS, "value": len(value), "seconds": seconds, "warm_up": seconds / 6}
        rows = [
            {
                "connections": connections,
                "in_flight": in_flight,
                "servers": medians(stage.tools, measured, rounds, connections=connections, in_flight=in_flight, **load),
            }
            for connections, in_flight in SHAPES
        ]
    return {"users": USERS, "value_bytes": len(value), "rounds": rounds, "seconds": seconds, "rows": rows}


def medians(tools, measured, rounds, **load):
    """Returns the medians of each server under one load."""
    results = {server.name: [] for server in measured}
    for _ in range(rounds):
        for server in measured:
            result = tools.press(server, **load)
            results[server.name].append(
                {**result["times"], **{key: result[key] for key in ("per_second", "processor")}}
            )
    return {
        name: {key: statistics.median(result[key] for result in found) for key in found[0]}
        for name, found in results.items()
    }


def ratios(row):
    """Returns the daemon's rate to the better other one, its p99 to the lower other one, and its rate to the loop's."""
    found = row["servers"]
    daemon, others = found["tokencached"], [found["redis"], found["memcached"]]
    return (
        daemon["per_second"] / max(other["per_second"] for other in others),
        daemon["p99"] / min(other["p99"] for other in others),
        daemon["per_second"] / found["epoll-loop"]["per_second"],
    )


def table(results):
    """Returns the results as text."""
    lines = [
        f"{results['users']:,} keys, values of {results['value_bytes']:,} bytes, medians of {results['rounds']} rounds "
        f"of {results['seconds']} s:",
        "",
        "| connections | in flight | server | requests/s | p50 µs | p99 µs | p99.9 µs | of the better other | "
        "p99 to the lower other | of the bare loop |",
        "|---:|---:|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for row in results["rows"]:
        for name, found in row["servers"].items():
            shown = " | ".join(f"{ratio:.2f}" for ratio in ratios(row)) if name == "tokencached" else " |  | "
            times = " | ".join(f"{found[quantile]:,.1f}" for quantile in ("p50", "p99", "p999"))
            load = f"{row['connections']} | {row['in_flight']}"
            lines.append(f"| {load} | {name} | {found['per_second']:,.0f} | {times} | {shown} |")
    busiest = max(
        found["processor"] for row in results["rows"] for name, found in row["servers"].items() if name != "epoll-loop"
    )
    lines += ["", f"The load took up to {busiest:.2f} of a processor beside the three servers."]
    return "\n".join(lines)


def main():
    arguments = servers.parser(__doc__).parse_args()
    results = measure(arguments)
    servers.write_results(arguments, results)
    print(table(results))


if __name__ == "__main__":
    main()
