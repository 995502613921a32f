import Foundation
import OperatorReplies

@testable import tokencachectl

/// Looks at a made-up daemon.
enum TopFixture {
    /// A daemon with two tenants, one of them in trouble, and two local users.
    static func look(at seconds: Double, uptime: Double = 11_400, requests: Int = 0, mints: Int = 0) throws -> Look {
        try Look(
            at: .seconds(seconds),
            stats: decode(
                """
                {"uptime":\(uptime),"version":"1.2.3","entries":1204,"negative_entries":3,"bytes":2400000,
                 "requests":{"token":\(1_000 + requests),"stats":700,"hit":\(900 + requests - mints),"miss":\(90 + mints),
                 "coalesced":10,"negative":0,"error":{"denied":2}},
                 "mints":{"started":\(100 + mints),"succeeded":\(95 + mints),"failed":{"unavailable":5},"in_flight":2,
                 "queued":{"foreground":1,"ahead":12}},"connections":{"open":14,"accepted":90,"refused":0},
                 "uids":{"33":{"connections":8,"waiting":1,"entries":1190,"overloaded":0,"requests":\(800 + requests)},
                 "1000":{"connections":1,"waiting":0,"entries":14,"overloaded":7,"requests":200}},
                 "latency":{"hits":{"p50":0.000012,"p90":0.00003,"p99":0.00008,"p999":0.001,"max":0.003},
                 "mints":{"p50":0.3,"p90":0.5,"p99":0.9,"p999":1.5,"max":2}},"next_refresh":12,
                 "tenants":{"main":{"state":"closed","client":"trusted","rate_tokens":72.4,"burst":80,"in_flight":2,
                 "queued":{"callers":0,"prefetches":0,"refreshes":12},"last_success":1,"last_error":{"error":"denied",
                 "error_description":"the tenant refused the request with status 401","ago":4000}},
                 "sandbox":{"state":"open","open_for":12.3,"openings":1,"hold":44,"client":"suspected","rate_tokens":0.2,
                 "burst":20,"in_flight":0,"queued":{"callers":1,"prefetches":0,"refreshes":0},"last_success":130,
                 "last_error":{"error":"unavailable","error_description":"the tenant answers with status 503","ago":7}}}}
                """
            ),
            health: decode(
                """
                {"status":"degraded","checks":[{"check":"circuit","tenant":"sandbox","status":"degraded",
                 "description":"the circuit is open after 5 failures","since":"2026-11-23T22:10:00Z"},
                 {"check":"hold","tenant":"main","status":"ok"}]}
                """
            ),
            refreshes: decode(
                """
                {"entries":[{"tenant":"main","subject":"ann@example.com","scope":"user_default","state":"fresh","age":5,
                 "expires_in":30,"fingerprint":"abc","next_refresh":12},{"tenant":"sandbox","user_id":"62a8",
                 "scope":"user_default offline","state":"due","age":5,"expires_in":900,"fingerprint":"def","next_refresh":480}]}
                """
            )
        )
    }

    /// The state after a look every two seconds, in which the daemon took more and more requests.
    static func state(looks: Int = 20) throws -> TopState {
        var state = TopState()
        for number in 0..<looks {
            state.add(
                try look(
                    at: Double(2 * number),
                    uptime: 11_400 + Double(2 * number),
                    requests: 10 * number * number,
                    mints: number
                )
            )
        }
        state.add(name: "www-data", of: 33)
        return state
    }

    /// The screen as plain text, without spaces at the ends of lines.
    static func text(_ state: TopState, columns: Int, lines: Int, now: Double = 38) -> String {
        screen(state, columns: columns, lines: lines, now: now).map { line in
            String(line.text.reversed().drop { $0 == " " }.reversed())
        }.joined(separator: "\n")
    }

    static func screen(_ state: TopState, columns: Int, lines: Int, now: Double = 38) -> [StyledText] {
        let size = WindowSize(columns: columns, lines: lines)
        return TopScreen(state, size: size, now: .seconds(now), time: "14:03:59", interval: 2).lines
    }

    static func decode<Value: Decodable>(_ text: String) throws -> Value {
        try JSONDecoder().decode(Value.self, from: Data(text.utf8))
    }
}
