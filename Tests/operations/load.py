"""A load that moves every metric of the daemon: users, two tenants, the cache, the sockets and the daemon itself."""

import threading

from stage import Stage, wait_for

SETTINGS = """\
audit: { to: stderr }
cache: { idle_ttl: 2s, max_entries: 60 }
sockets: { max_connections: 64 }
"""
PAUSE = 0.02
"""The seconds between two rounds of the load."""

LIMITS = "    rate: { per_minute: 600, burst: 60 }\n    max_concurrent: 8\n    timeout: 2s\n"


def stage():
    """Returns a stage with two tenants and room for few tokens."""
    return Stage(tenants=("main", "spare"), configuration=SETTINGS, limits=LIMITS)


class Load:
    """Requests tokens without a pause, until it is ended."""

    def __init__(self, stage):
        self.stage = stage
        self.admin = stage.connect(stage.admin)
        self.connection = stage.connect()
        self.is_ended = threading.Event()
        self.fault = None
        stage.tenants["main"].set(latency_ms=30)
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        """Requests the tokens of users whose tokens live for hours, and of users whose tokens live for seconds."""
        try:
            connection, turn = self.stage.connect(), 0
            while not self.is_ended.wait(PAUSE):
                turn += 1
                users = [f"user{(turn + number) % 40}" for number in range(20)]
                users += [f"expires-8:short{number}" for number in range(8)]
                connection.ask(*({"op": "token", "subject": user, "timeout": 20} for user in users))
                self.new_connection()
        except Exception as fault:
            self.fault = fault

    def new_connection(self):
        """Opens a connection for one request, and asks for the statistics."""
        connection = self.stage.connect()
        connection.ask({"op": "hello"})
        connection.close()

    def users(self):
        """Makes what users cause: a miss that others share, denials, a caller who leaves, a logout, a prefetch."""
        self.connection.ask(*({"op": "token", "subject": "shared", "id": number} for number in range(10)))
        self.connection.ask(*({"op": "token", "subject": f"unknown-403:{number}"} for number in range(2)))
        self.connection.ask({"op": "token", "subject": "user1", "tenant": "nowhere"}, {"op": "token"}, {"op": "other"})
        self.connection.ask({"op": "prefetch", "subjects": [f"ahead{number}" for number in range(20)]})
        self.connection.ask({"op": "revoke", "subject": "shared"})
        self.connection.ask({"op": "token", "subject": "user2", "timeout": 0, "scope": "apps:read"})
        leaver = self.stage.connect()
        leaver.socket.sendall(b'{"op":"token","subject":"after-1000+ok:leaver"}\n')
        leaver.close()

    def operators(self):
        """Makes what operators cause: reloads that succeed and fail, evictions and a flush."""
        self.admin.ask({"op": "stats"}, {"op": "health"}, {"op": "explain", "subject": "user1"})
        self.admin.ask({"op": "evict", "subject": "user1"}, {"op": "entries"})
        text = self.stage.file.read_text()
        self.stage.file.write_text(text + "mistake: 1\n")
        assert self.admin.ask({"op": "reload"})[0]["error"] == "invalid_configuration"
        self.stage.file.write_text(text)
        assert self.admin.ask({"op": "reload"})[0]["reloaded"]
        self.admin.ask({"op": "flush", "tenant": "spare"})

    def throttle(self):
        """Makes the second tenant answer 429 and ask for a pause of five seconds."""
        self.ask_spare("before")
        self.stage.tenants["spare"].set(script="throttled-5")
        self.ask_spare("throttled")

    def fail(self):
        """Makes the second tenant fail until its circuit breaker opens."""
        self.stage.tenants["spare"].set(script="1000*status-500")
        for number in range(6):
            self.ask_spare(f"failed{number}")

    def recover(self):
        """Makes the second tenant work again, and waits for the circuit breaker."""
        self.stage.tenants["spare"].set(script="ok")
        wait_for(lambda: "access_token" in self.ask_spare("recovered"), "the tenant recovers")

    def ask_spare(self, subject):
        """Requests a token of the second tenant."""
        return self.connection.ask({"op": "token", "subject": subject, "tenant": "spare", "timeout": 20})[0]

    def end(self):
        """Ends the load, and reports what went wrong in it."""
        self.is_ended.set()
        self.thread.join()
        if self.fault:
            raise self.fault
