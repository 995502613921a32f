import Dispatch
import Foundation
import Secrets
import Synchronization
import SystemPackage
import TestSupport
import Testing
import TokenCache
import TokenProtocol

@testable import Audit

@Suite("The audit trail")
struct AuditTrailTests {
    private static let token = AccessToken("a.token.that.must.not.show")
    private static let peer = Peer(uid: 33, gid: 34, pid: 4_711, unit: "shop.service")

    /// Writes records to a file and returns its lines.
    private func lines(_ records: AuditRecord...) throws -> [String] {
        let directory = try TemporaryDirectory()
        let trail = AuditTrail(to: try AuditTrail.open(.file(directory.path("audit")))) { Issue.record("\($0)") }
        for record in records { trail.append(record) }
        trail.flush()
        let text = try String(contentsOfFile: directory.path("audit"), encoding: .utf8)
        return text.split(separator: "\n", omittingEmptySubsequences: false).dropLast().map(String.init)
    }

    private func members(_ line: String) throws -> [String: Any] {
        var members = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
        let time = try #require(members.removeValue(forKey: "time") as? String)
        #expect(time.wholeMatch(of: /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z/) != nil)
        return members
    }

    private func key(_ subject: String) throws -> TokenKey {
        TokenKey(
            tenant: TenantID(number: 1, name: "main"),
            user: UserLookup(field: .subject, value: subject),
            scopes: try #require(ScopeSet("user_default"))
        )
    }

    @Test("A mint's record has the peer, user, scopes, cause and the token's fingerprint, but not the token.")
    func mint() throws {
        let end = AuditRecord.MintEnd.minted(granted: "user_default", Self.token.fingerprint)
        let lines = try lines(AuditRecord(Self.peer, .mint(try key("ann"), .caller, end)))
        #expect(lines.count == 1)
        let members = try members(lines[0])
        let expected: [String: Any] = [
            "event": "mint", "outcome": "minted", "cause": "caller", "tenant": "main", "subject": "ann",
            "scope_asked": "user_default", "scope_granted": "user_default",
            "token_fingerprint": Self.token.fingerprint.short,
            "peer_uid": 33, "peer_gid": 34, "peer_pid": 4_711, "peer_unit": "shop.service",
        ]
        #expect(members as NSDictionary == expected as NSDictionary)
        #expect(!lines[0].contains("must.not.show"))
    }

    @Test("Forbidden requests, revocations and operators' actions have records of their own kinds.")
    func others() throws {
        let user = UserLookup(field: .userID, value: "7")
        let request = AuditRecord.ForbiddenRequest(
            .prefetch,
            reason: "no",
            tenant: nil,
            user: user,
            scopes: ScopeSet("b a")
        )
        let denied = ErrorReply.Upstream(status: 401, code: "OAUTH-14", title: "no")
        let scopes = try #require(ScopeSet("a"))
        let lines = try lines(
            AuditRecord(Self.peer, .forbidden(request)),
            AuditRecord(nil, .mint(try key("ann"), .refresh, .failed(.denied, denied))),
            AuditRecord(
                Self.peer,
                .revocation(try key("ann").user, scopes, Self.token.fingerprint, .failed)
            ),
            AuditRecord(Self.peer, .evict(UserKey(tenant: TenantID(number: 1, name: "main"), user: user), nil)),
            AuditRecord(Self.peer, .flush(tenant: nil, count: 12)),
            AuditRecord(nil, .reload(.invalidConfiguration)),
            AuditRecord(Self.peer, .releaseHold(tenant: "main", left: .milliseconds(12_300))),
            AuditRecord(Self.peer, .noHold(tenant: nil))
        ).map(members)
        let events = [
            "refusal", "mint", "revocation", "evict", "flush", "reload", "release_hold", "release_hold",
        ]
        #expect(lines.map { $0["event"] as? String } == events)
        #expect(lines[0]["operation"] as? String == "prefetch" && lines[0]["user_id"] as? String == "7")
        #expect(lines[0]["scope_asked"] as? String == "a b" && lines[0]["tenant"] == nil)
        #expect(lines[1]["upstream_status"] as? Int == 401 && lines[1]["upstream_code"] as? String == "OAUTH-14")
        #expect(lines[1]["peer_uid"] == nil && lines[1]["cause"] as? String == "refresh")
        #expect(lines[2]["outcome"] as? String == "failed")
        #expect(lines[3]["user_id"] as? String == "7" && lines[3]["scope_asked"] == nil)
        #expect(lines[4]["count"] as? Int == 12)
        #expect(lines[5]["outcome"] as? String == "invalid_configuration")
        #expect(lines[6]["outcome"] as? String == "done" && lines[6]["tenant"] as? String == "main")
        #expect(lines[6]["seconds_left"] as? Int == 13 && lines[6]["peer_uid"] as? Int == 33)
        #expect(lines[7]["outcome"] as? String == "none" && lines[7]["tenant"] == nil)
    }

    @Test(
        "A subject can't end a record, begin another or control a terminal, and can be read back unchanged.",
        arguments: [
            "ann\"}\n{\"event\":\"mint\",\"subject\":\"bob",
            "ann\r\n\u{1B}[2J\u{1B}]0;x\u{07}",
            "ann\u{85}\u{9B}31m\u{2028}\u{2029}",
            "ann\u{202E}nnob\u{200B}\u{FEFF}",
            "ann\\u000a\\",
            "\u{10FFFF}\u{E000}\u{7F}\u{0}",
        ]
    )
    func forged(_ subject: String) throws {
        let lines = try lines(
            AuditRecord(Self.peer, .mint(try key(subject), .caller, .failed(.denied, nil))),
            AuditRecord(Self.peer, .mint(try key("after"), .caller, .failed(.denied, nil)))
        )
        #expect(lines.count == 2)
        #expect(try members(lines[0])["subject"] as? String == subject)
        #expect(try members(lines[1])["subject"] as? String == "after")
        let dangerous: Set<Unicode.GeneralCategory> = [
            .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .unassigned,
        ]
        #expect(lines.joined().unicodeScalars.allSatisfy { !dangerous.contains($0.properties.generalCategory) })
    }

    @Test("The file is readable for the daemon alone, is appended to, and is opened again after a rotation.")
    func file() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path("audit")
        let trail = AuditTrail(to: try AuditTrail.open(.file(path))) { Issue.record("\($0)") }
        func keep(_ count: Int) {
            trail.append(AuditRecord(nil, .flush(tenant: nil, count: count)))
            trail.flush()
        }
        keep(1)
        #expect(try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int == 0o600)
        try FileManager.default.moveItem(atPath: path, toPath: directory.path("audit.1"))
        keep(2)
        trail.move(to: try AuditTrail.open(.file(path)))
        keep(3)
        #expect(try String(contentsOfFile: directory.path("audit.1"), encoding: .utf8).contains("\"count\":2}"))
        #expect(try String(contentsOfFile: path, encoding: .utf8).contains("\"count\":3}"))
    }

    private func forbidden(_ uid: PeerUID, _ reason: String = "no", tenant: String? = nil) -> AuditRecord {
        let request = AuditRecord.ForbiddenRequest(.token, reason: reason, tenant: tenant, user: nil, scopes: nil)
        return AuditRecord(Peer(uid: uid, gid: 1), .forbidden(request))
    }

    /// Returns the members of the lines that a trail has written by now.
    private func written(_ trail: AuditTrail, _ directory: TemporaryDirectory) throws -> [[String: Any]] {
        #expect(trail.flush())
        let text = try String(contentsOfFile: directory.path("audit"), encoding: .utf8)
        return try text.split(separator: "\n").map { try members(String($0)) }
    }

    @Test("The first of forbidden requests that are alike is recorded, then their number, for each peer and reason.")
    func forbiddenRequests() throws {
        let directory = try TemporaryDirectory()
        let trail = AuditTrail(to: try AuditTrail.open(.file(directory.path("audit")))) { Issue.record("\($0)") }
        for _ in 0..<20_000 { trail.append(forbidden(7)) }
        trail.append(forbidden(8))
        trail.append(forbidden(7, "another reason"))
        trail.recordCounts()
        // There was none like it since, so the next one is a first again.
        trail.recordCounts()
        trail.append(forbidden(7))
        let lines = try written(trail, directory)
        #expect(lines.map { $0["peer_uid"] as? Int } == [7, 8, 7, 7, 7])
        #expect(lines.map { $0["reason"] as? String } == ["no", "no", "another reason", "no", "no"])
        #expect(lines.map { $0["count"] as? Int } == [nil, nil, nil, 19_999, nil])
    }

    @Test("However many kinds of forbidden requests there are, actions are recorded whole, and so is their number.")
    func flood() throws {
        let directory = try TemporaryDirectory()
        let trail = AuditTrail(to: try AuditTrail.open(.file(directory.path("audit")))) { Issue.record("\($0)") }
        let long = String(repeating: "x", count: 60_000)
        for uid in 0..<5_000 { trail.append(forbidden(PeerUID(uid), tenant: long)) }
        trail.append(AuditRecord(Self.peer, .flush(tenant: nil, count: 3)))
        let lines = try written(trail, directory)
        #expect(lines.contains { $0["event"] as? String == "flush" })
        #expect(lines.count { $0["event"] as? String == "refusal" } == 1_025)
        #expect(lines.last?["count"] as? Int == 5_000 - 1_024)
        #expect(lines.allSatisfy { ($0["tenant"] as? String)?.utf8.count ?? 0 <= 1_027 }, "long texts are cut")
    }

    @Test("A write that fails half way leaves no partial line, and the number of lost records is recorded.")
    func torn() throws {
        let directory = try TemporaryDirectory()
        let space = Mutex(200)
        let reports = Mutex([AuditTrail.Report]())
        let file = try AuditFile(directory.path("audit")) { descriptor, bytes in
            let count = bytes.count
            let taken = space.withLock { space in
                defer { space -= min(space, count) }
                return min(space, count)
            }
            guard taken > 0 else { throw Errno.noSpace }
            return unsafe try bytes.extracting(first: taken).withUnsafeBytes { unsafe try descriptor.write($0) }
        }
        let trail = AuditTrail(to: AuditTrail.Opened(sink: .file(file))) { report in
            reports.withLock { $0.append(report) }
        }
        for count in 0..<5 { trail.append(AuditRecord(nil, .flush(tenant: nil, count: count))) }
        #expect(!trail.flush(), "some are missing")
        space.withLock { $0 = 100_000 }
        trail.append(AuditRecord(nil, .flush(tenant: nil, count: 5)))
        let lines = try written(trail, directory)
        #expect(lines.map { $0["event"] as? String } == ["flush", "flush", "loss", "flush"])
        #expect(lines.map { $0["count"] as? Int } == [0, 1, 3, 5])
        #expect(reports.withLock { $0 } == [.losesRecords("a record could not be written"), .recovers(missing: 3)])
    }

    @Test("A destination that hangs doesn't delay the daemon's end, and the memory for it is bounded.")
    func hanging() throws {
        let directory = try TemporaryDirectory()
        let gate = DispatchSemaphore(value: 0)
        let file = try AuditFile(directory.path("audit")) { descriptor, bytes in
            gate.wait()
            gate.signal()
            return unsafe try bytes.withUnsafeBytes { unsafe try descriptor.write($0) }
        }
        let trail = AuditTrail(to: AuditTrail.Opened(sink: .file(file)), bound: 65_536) { _ in }
        let long = try key(String(repeating: "x", count: 1_024))
        for _ in 0..<1_000 { trail.append(AuditRecord(nil, .mint(long, .caller, .failed(.denied, nil)))) }
        #expect(trail.waiting <= 65_536)
        #expect(!trail.flush(within: .milliseconds(1)))
        gate.signal()
        let lines = try written(trail, directory)
        let missing = lines.compactMap { $0["event"] as? String == "loss" ? $0["count"] as? Int : nil }.reduce(0, +)
        #expect(missing > 900 && lines.count { $0["event"] as? String == "mint" } + missing == 1_000)
    }

    @Test("A link, a directory, a device and a path without a directory are rejected as the trail's file.")
    func wrongFiles() throws {
        let directory = try TemporaryDirectory()
        try directory.write("x", to: "target")
        try FileManager.default.createSymbolicLink(
            atPath: directory.path("link"),
            withDestinationPath: directory.path("target")
        )
        for path in [directory.path("link"), directory.path, directory.path("none/audit"), "/dev/null"] {
            #expect(throws: AuditTrailError.self) { try AuditTrail.open(.file(path)) }
        }
    }
}
