"""Measures the memory that tokens take in the daemon beside the same keys and bytes in Redis, and that of idle servers.

    python3 Benchmarks/memory.py PROGRAMS OWN [--quick] [--large] [--results FILE]

`--large` adds a daemon with one and with three million tokens, which takes several gigabytes and a quarter of an hour.
"""

import time

import servers
from manager import Manager

TOKEN_BYTES = 1_199
SETTLED = 6
"""The time after which an idle server's memory is read, in seconds. The daemon looks every two seconds if it can return
memory to the kernel."""
MIB = 1 << 20


def idle_and_each(server, users, fill):
    """Returns the memory of a server when it is idle, after its first token and when it is full, and a token's bytes.

    `data_each` counts from the first token on, without the code that is mapped: neither depends on the tokens.
    """
    time.sleep(SETTLED)
    before = server.memory()
    fill(1)
    time.sleep(1)
    first, data = server.memory(), server.memory() - server.code()
    began = time.monotonic()
    fill(users)
    seconds = time.monotonic() - began
    time.sleep(SETTLED)
    after = server.memory()
    return {
        "users": users,
        "idle_mib": before / MIB,
        "first_mib": first / MIB,
        "full_mib": after / MIB,
        "bytes_each": (after - before) / users,
        "data_each": (after - server.code() - data) / (users - 1),
        "mappings": server.mappings(),
        "seconds": seconds,
    }


def daemon(tools, users, keeps):
    """Measures the daemon, which keeps tokens for the next daemon or doesn't."""
    with servers.Stage(tools) as stage:
        cache = f"max_entries: {users}, keep_across_restarts: {str(keeps).lower()}"
        manager = Manager(stage.directory) if keeps else None
        server = servers.Daemon(stage, servers.Tenant(stage, TOKEN_BYTES), cache, manager)
        found = idle_and_each(server, users, lambda many: server.fill(servers.keys(many)))
        if (entries := server.ask('{"op":"stats"}')["entries"]) != users:
            raise RuntimeError(f"of {users} tokens {entries} are cached")
        return found


def other(tools, users, kind):
    """Measures Redis or memcached."""
    with servers.Stage(tools) as stage:
        server = kind(stage)
        return idle_and_each(server, users, lambda many: server.store(servers.keys(many), b"x" * TOKEN_BYTES))


def measure(arguments):
    """Returns the results by title."""
    tools = servers.Tools(arguments.programs, arguments.own)
    users = 10_000 if arguments.quick else 100_000
    results = {
        "tokencached, tokens are not kept": daemon(tools, users, keeps=False),
        "tokencached, tokens are kept": daemon(tools, users, keeps=True),
        "redis": other(tools, users, servers.Redis),
        "memcached": other(tools, users, servers.Memcached),
    }
    if arguments.large:
        for many in (1_000_000, 3_000_000):
            results[f"tokencached, {many:,} tokens are kept"] = daemon(tools, many, keeps=True)
    return results


def table(results):
    """Returns the results as text."""
    lines = [
        f"Tokens of {TOKEN_BYTES:,} bytes. Resident memory:",
        "",
        "| server | tokens | idle MiB | first token MiB | full MiB | bytes a token | to Redis | without code "
        "| mappings |",
        "|---|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for title, found in results.items():
        ratio = found["bytes_each"] / results["redis"]["bytes_each"]
        lines.append(
            f"| {title} | {found['users']:,} | {found['idle_mib']:.1f} | {found['first_mib']:.1f} "
            f"| {found['full_mib']:,.0f} | {found['bytes_each']:,.0f} | {ratio:.2f} | {found['data_each']:,.0f} "
            f"| {found['mappings']:,} |"
        )
    return "\n".join(lines)


def main():
    parser = servers.parser(__doc__)
    parser.add_argument("--large", action="store_true", help="measure a million tokens and three million, too")
    arguments = parser.parse_args()
    results = measure(arguments)
    servers.write_results(arguments, results)
    print(table(results))


if __name__ == "__main__":
    main()
