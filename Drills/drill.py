"""Exposes the real daemon to the faults of a tenant and a machine, and prints a table.

    python3 Drills/drill.py PROGRAMS [NAME ...]

PROGRAMS is the directory of the built programs. With names, only those drills are run. A drill fails if a user who had
a valid token got an error, if the tenant got more than 1.3 times the least possible calls, or if one in a thousand of
the requests of users with a valid token waited for 5 ms.
"""

import asyncio
import math
import sys
import time

from harness import Load, Stage

MOST_CALLS = 1.3
LONGEST_WAIT = 0.005


def subjects(count, lifetimes=None):
    """Returns users. With lifetimes, their tokens have different ones, so that they aren't all due at once."""
    if lifetimes is None:
        return [f"u{number}" for number in range(count)]
    first, last = lifetimes
    return [f"expires-{first + (last - first) * number // count}:u{number}" for number in range(count)]


async def outage(programs):
    """A quarter of an hour without the tenant at 60 times the speed, for 2,000 users in use."""
    users = subjects(2_000, (200, 300))
    with Stage(programs, max_concurrent=64) as stage:
        load = Load(stage.daemon, users, per_second=1_500)

        async def script():
            await load.ask_each(users)
            await asyncio.sleep(150)
            # The users' own scripts would continue, so all next calls are made to fail.
            await stage.on_thread(lambda: stage.tenant.set(script="100000*status-500"))
            await asyncio.sleep(15)
            await stage.on_thread(stage.tenant.recover)
            await asyncio.sleep(60)

        await load.run(script())
        # Each user's first token, and another for each that was due by then: at 70 % of its life, spread by 5 %.
        due = sum(1 for user in users if 0.7 * int(user.split("-")[1].split(":")[0]) < 225)
        return load, stage.tenant.calls(), len(users) + due, "none may be unavoidable: all tokens outlive it"


async def cold_start(programs):
    """429 with Retry-After in the middle of a cold start of 1,000 users under a real 100 calls a minute."""
    users = subjects(1_000)
    # The daemon's bucket is larger than the tenant's on purpose, as the tenant would never answer 429 otherwise.
    with Stage(programs, ("--rate-per-minute", "100"), per_minute=100, burst=150) as stage:
        load = Load(stage.daemon, users[:100], per_second=200, timeout=5)

        async def script():
            await load.ask_each(users)
            await asyncio.sleep(75)

        await load.run(script())
        calls = stage.tenant.calls()
        return load, calls, len(load.account.served), "no call was left for them within their 5 s"


async def flapping(programs):
    """A tenant that fails every other second."""
    users = subjects(300, (20, 30))
    with Stage(programs) as stage:
        load = Load(stage.daemon, users, per_second=600, timeout=10)

        async def script():
            await load.ask_each(users)
            await asyncio.sleep(3)
            for _ in range(15):
                await stage.on_thread(lambda: stage.tenant.set(script="3*status-503"))
                await asyncio.sleep(2)

        await load.run(script())
        return load, stage.tenant.calls(), least(users, 33), "none may be unavoidable"


async def hanging(programs, behaviour="never"):
    """A tenant that takes calls and never answers them, for 12 s."""
    # Long enough that a token lives until the circuit's second probe, at about 22 s; real ones live for hours.
    users = subjects(300, (120, 160))
    with Stage(programs, timeout="2s") as stage:
        load = Load(stage.daemon, users, per_second=600, timeout=10)

        async def script():
            await load.ask_each(users)
            await asyncio.sleep(88)
            await stage.on_thread(lambda: stage.tenant.set(script=f"10000*{behaviour}"))
            await asyncio.sleep(12)
            await stage.on_thread(stage.tenant.recover)
            await asyncio.sleep(30)

        await load.run(script())
        return load, stage.tenant.calls(), least(users, 130), "none may be unavoidable: all tokens outlive it"


async def dripping(programs):
    """A tenant that answers one byte a second, for 12 s."""
    return await hanging(programs, "drip-1000")


async def rotation(programs, overlap=True):
    """The client's secret is changed, both secrets valid for a while."""
    users = subjects(300, (20, 30))
    with Stage(programs) as stage:
        load = Load(stage.daemon, users, per_second=600)

        async def script():
            await load.ask_each(users)
            await asyncio.sleep(10)
            if overlap:
                await stage.on_thread(lambda: stage.tenant.set(secrets=["first", "second"]))
                await asyncio.sleep(5)
            stage.daemon.write_secret("second")
            await stage.on_thread(lambda: stage.tenant.set(secrets=["second"]))
            await asyncio.sleep(15)

        await load.run(script())
        return load, stage.tenant.calls(), least(users, 30 if overlap else 25), "none may be unavoidable"


async def rotation_without_overlap(programs):
    """The client's secret is changed at once, in the file and at the tenant."""
    return await rotation(programs, overlap=False)


async def suspend(programs):
    """The daemon is stopped for 30 s, as in a suspend, and continued."""
    users = subjects(300, (40, 120))
    with Stage(programs) as stage:
        load = Load(stage.daemon, users, per_second=300, timeout=60)

        async def script():
            await load.ask_each(users)
            await asyncio.sleep(10)
            load.stopped = (time.monotonic(), math.inf)
            await stage.on_thread(stage.daemon.suspend, 30)
            await load.catch_up()
            load.stopped = (load.stopped[0], time.monotonic())
            await asyncio.sleep(10)

        await load.run(script())
        return load, stage.tenant.calls(), least(users, 50), "none may be unavoidable"


async def crash(programs):
    """SIGKILL under load, and a new start."""
    users = subjects(500)
    with Stage(programs) as stage:
        load = Load(stage.daemon, users, per_second=600)

        async def script():
            await load.ask_each(users)
            await asyncio.sleep(5)
            await stage.on_thread(stage.daemon.kill)
            await asyncio.sleep(0.2)
            # Without systemd no tokens are kept over a crash.
            load.forget_tokens()
            await stage.on_thread(stage.daemon.start)
            await asyncio.sleep(10)

        await load.run(script())
        return load, stage.tenant.calls(), 2 * len(users), "none may be unavoidable: what is lost is asked again"


def least(users, seconds):
    """Returns the fewest calls for users who keep asking: one for each lifetime, renewed at 70 % of it (`refresh.ahead`)."""
    total = 0
    for user in users:
        lifetime = int(user.split("-")[1].split(":")[0])
        total += 1 + math.floor(seconds / (0.75 * lifetime))
    return total


DRILLS = [
    outage,
    cold_start,
    flapping,
    hanging,
    dripping,
    rotation,
    rotation_without_overlap,
    suspend,
    crash,
]


def row(name, load, calls, fewest, reason, seconds):
    account = load.account
    errors = ", ".join(f"{count} {code}" for code, count in sorted(account.errors.items())) or "none"
    if account.errors:
        errors += f" ({reason})"
    faults = []
    if account.errors_with_token:
        faults.append(f"{account.errors_with_token} errors with a living token")
    if calls > MOST_CALLS * fewest:
        faults.append("too many calls")
    if account.longest_with_token() >= LONGEST_WAIT:
        faults.append("waits with a living token")
    print(
        f"| {name} | {account.requests} | {errors} | {account.errors_with_token} | {calls} / {fewest} = {calls / fewest:.2f} "
        f"| {account.longest_with_token() * 1000:.2f} | {'; '.join(faults) or 'held'} |",
        flush=True,
    )
    return not faults


def main():
    programs, names = sys.argv[1], sys.argv[2:]
    print("| drill | requests | errors | with a living token | calls / least | 99.9 % with a living token waited, ms | |")
    print("|---|---:|---|---:|---:|---:|---|", flush=True)
    held = True
    for drill in DRILLS:
        if names and drill.__name__ not in names:
            continue
        start = time.monotonic()
        load, calls, fewest, reason = asyncio.run(drill(programs))
        held &= row(drill.__name__.replace("_", " "), load, calls, fewest, reason, time.monotonic() - start)
    sys.exit(0 if held else 1)


if __name__ == "__main__":
    main()
