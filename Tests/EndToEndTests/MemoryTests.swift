import Foundation
import StandInTenant
import TestSupport
import Testing

@Suite(
    "Secrets in memory",
    .serialized,
    .enabled(if: OtherUser.isAvailable, "reading another process's memory needs root")
)
struct MemoryTests {
    /// Counts the tokens in a file of which a process's memory holds 32 bytes: the beginning or the end of the
    /// signature, which no two tokens share.
    ///
    /// Both are searched for, as a copy may be overwritten in part.
    private static let search = """
        import re, sys
        process, path = sys.argv[1:]
        tokens = open(path, "rb").read().split()
        pieces = [{t[-32:], t.split(b".")[2][:32]} for t in tokens]
        texts = set()
        with open(f"/proc/{process}/maps") as maps, open(f"/proc/{process}/mem", "rb", 0) as memory:
            for line in maps:
                span, mode = line.split()[:2]
                if not mode.startswith("rw"):
                    continue
                start, end = (int(part, 16) for part in span.split("-"))
                while start < end:
                    length = min(end - start, 64 << 20)
                    try:
                        memory.seek(start)
                        content = memory.read(length)
                    except (OSError, ValueError, OverflowError):
                        break
                    start += length
                    texts.update(re.findall(rb"[A-Za-z0-9_-]{32,}", content))
        everything = b" ".join(texts)
        print(sum(any(piece in everything for piece in few) for few in pieces))
        """

    private func found(_ tokens: [String], in daemon: Program, _ directory: TemporaryDirectory) throws -> Int {
        let path = try directory.write(tokens.joined(separator: "\n"), to: "tokens")
        let (status, output) = try Program.run(
            "/usr/bin/env",
            ["python3", "-c", Self.search, "\(daemon.identifier)", path]
        )
        try #require(status == 0, "\(output)")
        return try #require(Int(output.trimmingCharacters(in: .whitespacesAndNewlines)), "\(output)")
    }

    private func lieInSecretMemory(_ daemon: Program) throws -> Bool {
        try String(contentsOfFile: "/proc/\(daemon.identifier)/maps", encoding: .utf8).contains("secretmem")
    }

    @Test("A crash of a daemon that was started by hand prints nothing of its memory.")
    func crash() async throws {
        let deployment = try await Deployment.start()
        _ = try deployment.token("ann")
        let before = deployment.written
        deployment.daemon.signal(SIGILL)
        #expect(deployment.daemon.waitForEnd() == SIGILL)
        #expect(!deployment.written.dropFirst(before.count).contains("0x"), "\(deployment.written)")
        try await deployment.tenant.stop()
    }

    @Test(
        "After a flush and some further traffic hardly any of the flushed tokens are in the process's memory.",
        arguments: [false, true]
    )
    func flush(isTLS: Bool) async throws {
        var standIn = StandInTenant.Configuration()
        standIn.tls = isTLS ? .valid : .none
        let options = "max_concurrent: 16\nrate: { per_minute: 100000, burst: 100000 }"
        let deployment = try await Deployment.start(standIn, options: options)
        func tokens(_ prefix: String, _ count: Int) throws -> [String] {
            let clients = try (0..<20).map { _ in try deployment.requests() }
            for index in 0..<count { try clients[index % 20].send(Deployment.line("\(prefix)\(index)")) }
            return try (0..<count).map { index in
                let reply = try clients[index % 20].reply()
                return try #require(reply["access_token"] as? String, "\(reply)")
            }
        }
        let flushed = try tokens("a", 300)
        _ = try tokens("a", 300)
        let before = try found(flushed, in: deployment.daemon, deployment.directory)
        // Memory of memfd_secret(2) can't be read by the search. Then the tokens must have no copies elsewhere either.
        let isSecret = try lieInSecretMemory(deployment.daemon)
        #expect(isSecret ? before <= 6 : before >= 295, "the search has to find what is there")
        #expect(try deployment.admin().ask(#"{"op":"flush"}"#)["flushed"] as? Int == 300)
        let kept = try tokens("b", 10)
        let after = try found(flushed, in: deployment.daemon, deployment.directory)
        #expect(after <= 6, "of 300")
        #expect(try isSecret || found(kept, in: deployment.daemon, deployment.directory) == 10)
        try await deployment.stop()
    }

    @Test("The memory of a daemon that isn't root's can't be read by its own user: the kernel gives the file to root.")
    func undumpable() throws {
        let directory = try TemporaryDirectory()
        let program = directory.path("tokencached")
        try FileManager.default.copyItem(atPath: Program.directory.appending(path: "tokencached").path, toPath: program)
        let secret = try directory.write("secret", to: "secret")
        try directory.write(
            "tenants: { main: { host: 'https://x.example', client_id: c, client_secret: { file: \(secret) } } }",
            to: "c.yaml",
            mode: 0o644
        )
        for path in [directory.path, secret] { #expect(unsafe chown(path, 40_001, 40_001) == 0) }
        let daemon = try Program(
            "/usr/bin/setpriv",
            ["--reuid=40001", "--regid=40001", "--clear-groups", program, "--config", directory.path("c.yaml")]
                + ["--socket", directory.path("r"), "--admin-socket", directory.path("a")]
        )
        _ = try #require(daemon.waitForOutput("the daemon serves"), "\(daemon.written)")
        let owner = try FileManager.default.attributesOfItem(atPath: "/proc/\(daemon.identifier)/mem")[.ownerAccountID]
        #expect(owner as? Int == 0)
        daemon.signal(SIGTERM)
        #expect(daemon.waitForEnd() == 0)
    }

    @Test("The daemon leaves no core, and the client's secret lies in locked memory.")
    func locked() async throws {
        let deployment = try await Deployment.start()
        let process = "/proc/\(deployment.daemon.identifier)"
        let limits = try String(contentsOfFile: "\(process)/limits", encoding: .utf8)
        let core = try #require(limits.split(separator: "\n").first { $0.hasPrefix("Max core file size") })
        #expect(core.split(whereSeparator: \.isWhitespace).dropFirst(4).prefix(2) == ["0", "0"])
        let status = try String(contentsOfFile: "\(process)/status", encoding: .utf8)
        let locked = try #require(status.firstMatch(of: /VmLck:\s+(\d+) kB/)?.1)
        #expect(Int(locked).map { $0 > 0 } == true)
        try await deployment.stop()
    }
}
