import Foundation
import StandInTenant
import Testing

@Suite("The cases of the contract", .timeLimit(.minutes(1)))
struct ContractCaseTests {
    @Test("A subject's beginning decides what its reply has and lacks.", arguments: ContractCase.all)
    func play(_ example: ContractCase) async throws {
        try await withStandInTenant { tenant in
            let reply = try await mint(tenant, example.script + ":alice")
            #expect(reply.status == example.status)
            for text in example.has { #expect(Data(reply.body).range(of: Data(text.utf8)) != nil) }
            for text in example.lacks { #expect(Data(reply.body).range(of: Data(text.utf8)) == nil) }
            for (name, value) in example.fields { #expect(reply.fields[name] ?? "none" == value) }
            if let code = example.code {
                #expect(reply.tenantError?["code"] == code)
                #expect(reply.tenantError?["status"] == String(example.status))
                #expect(reply.tenantError?["title"]?.isEmpty == false)
                #expect((reply.json?["traceId"] as? String)?.count == 32)
            }
            #expect(await tenant.violations == [])
            #expect(await tenant.requests.map(\.status) == [example.status])
        }
    }

    @Test("Every row of the table has a case.")
    func completeness() {
        let played = ContractCase.all.map(\.script) + ContractCase.withoutReply
        for name in BehaviourTable.groups.flatMap(\.rows).map(\.name) {
            #expect(played.contains { $0 == name || $0.hasPrefix(name + "-") }, "\(name)")
        }
    }

    @Test("What isn't JSON, or isn't UTF-8, can't be read as JSON.", arguments: ["truncated", "bom", "invalid-utf8"])
    func unreadable(_ script: String) async throws {
        let reply = try await withStandInTenant { try await mint($0, script + ":alice") }
        #expect(throws: StandInTenant.Fault.self) { try JSONValue(json: reply.body) }
    }

    @Test("invalid-utf8 is JSON but for two bytes.")
    func invalidUTF8() async throws {
        let reply = try await withStandInTenant { try await mint($0, "invalid-utf8:alice") }
        let index = try #require(reply.body.firstRange(of: [0xC3, 0x28])).lowerBound
        let mended = reply.body[..<index] + reply.body[(index + 2)...]
        #expect(throws: Never.self) { try JSONValue(json: Array(mended)) }
    }

    @Test("A flood is as long as it says.", arguments: ["flood-3", "flood-chunked-3"])
    func flood(_ script: String) async throws {
        let reply = try await withStandInTenant { try await mint($0, script + ":alice") }
        #expect(reply.body.count > 3 * 1_048_576 && reply.body.count < 3 * 1_048_576 + 100)
        #expect(reply.text.hasPrefix(#"{"token_type":"bearer","expires_in":21600,"access_token":"aaaa"#))
    }

    @Test("A redirect leads to another path or to another server, and whoever follows it is noted.")
    func redirects() async throws {
        try await withStandInTenant { tenant in
            let same = try await mint(tenant, "redirect-307-same:alice")
            #expect(same.fields["location"] == tenant.baseURL + "/oauth/token-moved")
            let other = try await mint(tenant, "redirect-302-other:alice")
            #expect(other.fields["location"] == tenant.otherOriginURL + "/oauth/token")
            #expect(await tenant.counters.redirectsFollowed == 0)
            let port = try #require(URL(string: tenant.otherOriginURL)?.port)
            _ = try await call(tenant, request("POST", "/oauth/token-moved", body: mintBody("alice")))
            _ = try await withConnection(to: tenant, port: port) { connection in
                connection.send(request(body: mintBody("alice")))
                return try await connection.reply()
            }
            #expect(await tenant.counters.redirectsFollowed == 2)
            #expect(await tenant.violations.count == 2)
            #expect(await tenant.requests.suffix(2).map(\.origin) == [.tenant, .other])
            #expect(await tenant.requests.suffix(2).map(\.carriedSecret) == [true, true])
            #expect(await tenant.mintCount(value: "alice") == 0)
        }
    }

    @Test("A token of 16 KiB has 16 KiB, or at most a byte less.")
    func longToken() async throws {
        let reply = try await withStandInTenant { try await mint($0, "token-bytes-16384:alice") }
        #expect((16_383...16_384).contains(token(reply).utf8.count))
    }

    @Test("The replies' dates are of the tenant's clock.")
    func dates() async throws {
        try await withStandInTenant { tenant in
            let formatter = DateFormatter()
            formatter.locale = Locale(identifier: "en_US_POSIX")
            formatter.timeZone = TimeZone(identifier: "GMT")
            formatter.dateFormat = "EEE, dd MMM yyyy HH:mm:ss zzz"
            let now = Date()
            let ahead = try await mint(tenant, "clock-off-3600:alice")
            let date = try #require(formatter.date(from: ahead.fields["date"] ?? ""))
            #expect(abs(date.timeIntervalSince(now) - 3_600) < 5)
            let expiry = try #require(ahead.json?["expires_at"] as? String)
            let end = try Date.ISO8601FormatStyle(includingFractionalSeconds: true).parse(expiry)
            #expect(abs(end.timeIntervalSince(now) - 3_600 - 21_600) < 5)
            let issued = try #require(try claims(of: token(ahead))["iat"]?.integer)
            #expect(abs(Double(issued) - now.timeIntervalSince1970 - 3_600) < 5)
            let throttled = try await mint(tenant, "throttled-date-60:alice")
            let retry = try #require(formatter.date(from: throttled.fields["retry-after"] ?? ""))
            #expect(abs(retry.timeIntervalSince(now) - 60) < 5)
        }
    }
}
