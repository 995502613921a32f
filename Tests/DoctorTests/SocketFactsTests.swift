import Doctor
import Testing

@Suite("The judgement of sockets")
struct SocketFactsTests {
    private let file = SocketFacts.File(mode: 0o660, owner: "root", group: "clients", members: ["web", "jobs"])

    private func facts(
        _ attempt: SocketFacts.Attempt,
        _ file: SocketFacts.File?,
        _ kind: SocketFacts.Kind = .requests,
        hasUnits: Bool = false
    ) -> SocketFacts {
        SocketFacts(kind: kind, path: "/run/s", file: file, attempt: attempt, user: "ann", hasUnits: hasUnits)
    }

    @Test("A socket that can be used says who may connect.")
    func usable() {
        let finding = facts(.connected, file).finding
        #expect(finding.status == .ok)
        #expect(
            finding.found
                == "user ann can connect to /run/s (mode 660, owner root, group clients); it is open to root, the group "
                + "clients (web, jobs)"
        )
        var other = file
        other.members = (1...12).map { "u\($0)" }
        #expect(facts(.connected, other).finding.found.hasSuffix("u9, u10 and 2 more)"))
        other.members = []
        #expect(facts(.connected, other).finding.found.hasSuffix("the group clients (no members)"))
        other.mode = 0o666
        #expect(facts(.connected, other).finding.found.hasSuffix("every user of this machine"))
        other = .init(mode: 0o600, owner: "app", group: "app")
        #expect(facts(.connected, other).finding.found.hasSuffix("root and app"))
    }

    @Test("An operators' socket that is open to everyone is a warning.")
    func openToEveryone() {
        let open = SocketFacts.File(mode: 0o666, owner: "root", group: "root")
        #expect(facts(.connected, open, .admin).finding.status == .warning)
        #expect(facts(.connected, open, .requests).finding.status == .ok)
    }

    @Test("A socket that doesn't exist or that nobody serves says how to start what serves it.")
    func absent() {
        let missing = facts(.failed("No such file or directory"), nil, hasUnits: true).finding
        #expect(missing.status == .failed)
        #expect(missing.found == "/run/s doesn't exist")
        #expect(missing.advice == "systemctl restart tokencached.socket")
        #expect(facts(.refused, nil, .admin, hasUnits: true).finding.advice?.contains("tokencached-admin") == true)
        let stale = facts(.refused, file).finding
        #expect(stale.found.hasPrefix("nobody listens at /run/s"))
        #expect(stale.advice == "start the daemon, or name the socket with --socket; it replaces the socket")
        var notASocket = facts(.refused, file)
        notASocket.isSocket = false
        #expect(notASocket.finding.found == "/run/s is not a socket")
        #expect(facts(.full, file).finding.advice?.contains("systemctl status tokencached") == true)
        #expect(facts(.failed("no"), file).finding.found.hasSuffix("failed: no"))
    }

    @Test("A user who may not connect is told how to get the right, and for the operators' socket it is no failure.")
    func denied() {
        let finding = facts(.denied, file).finding
        #expect(finding.status == .failed)
        #expect(finding.advice?.hasPrefix("usermod --append --groups clients ann") == true)
        let root = SocketFacts.File(mode: 0o660, owner: "root", group: "root")
        #expect(facts(.denied, root).finding.advice?.contains("sockets.requests.group") == true)
        #expect(facts(.denied, nil).finding.status == .failed)
        #expect(facts(.denied, file, .admin).finding.status == .skipped)
    }
}
