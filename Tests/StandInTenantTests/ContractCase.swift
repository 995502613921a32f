import StandInTenant
import Testing

/// A case that the stand-in plays, and what its reply has and lacks.
struct ContractCase: Sendable, CustomTestStringConvertible {
    var script: String
    var status: Int
    var has: [String]
    var lacks: [String]
    var fields: [String: String]
    var code: String?

    var testDescription: String { script }

    init(
        _ script: String,
        _ status: Int = 200,
        has: [String] = [],
        lacks: [String] = [],
        fields: [String: String] = [:],
        code: String? = nil
    ) {
        self.script = script
        self.status = status
        self.has = has
        self.lacks = lacks
        self.fields = fields
        self.code = code
    }

    static let success: [ContractCase] = [
        ContractCase(
            "ok",
            has: [#""token_type":"bearer""#, #""expires_in":21600,"expires_at":"2"#, #""scope":"user_default""#]
        ),
        ContractCase("bearer", has: [#""token_type":"Bearer""#, #""expires_in":3600,"expires_at":"2"#]),
        ContractCase("expires-20", has: [#""expires_in":20,"expires_at":"#]),
        ContractCase("expires-at", has: [#""expires_at":"2"#], lacks: ["expires_in"]),
        ContractCase("expires-at-text-soon", has: [#""expires_at":"soon""#], lacks: ["expires_in"]),
        ContractCase("no-expiry", lacks: ["expires_in", "expires_at"]),
        ContractCase("expired", has: [#""expires_in":-3600"#]),
        ContractCase("epoch", has: [#""expires_in":21600,"expires_at":"1970-01-01T00:00:00.000Z""#]),
        ContractCase("disagree-20-3600", has: [#""expires_in":20,"#]),
        ContractCase("expires-text-20", has: [#""expires_in":"20""#]),
        ContractCase("expires-in--1", has: [#""expires_in":-1}"#], lacks: ["expires_at"]),
        ContractCase("expires-in-0", has: [#""expires_in":0}"#]),
        ContractCase("expires-in-1e15", has: [#""expires_in":1e15}"#]),
        ContractCase("expires-in-1e400", has: [#""expires_in":1e400}"#]),
        ContractCase("expires-in-1.5", has: [#""expires_in":1.5}"#]),
        ContractCase("expires-in-null", has: [#""expires_in":null}"#]),
        ContractCase("clock-off-3600", has: [#""expires_at":"2"#], lacks: ["expires_in"]),
        ContractCase("no-date", has: [#""expires_at":"2"#], lacks: ["expires_in"], fields: ["date": "none"]),
        ContractCase("narrowed-apps", has: [#""scope":"apps""#]),
        ContractCase("no-scope", lacks: [#""scope":"#]),
        ContractCase("refresh-token", has: [#""refresh_token":"refresh-"#]),
        ContractCase("token-bytes-16384"),
        ContractCase("chunked", has: [#""access_token":"ey"#], fields: ["transfer-encoding": "chunked"]),
        ContractCase("revoke-fails", has: [#""access_token":"ey"#]),
        ContractCase("text-plain", has: [#""access_token":"ey"#], fields: ["content-type": "text/plain"]),
        ContractCase("no-content-type", has: [#""access_token":"ey"#], fields: ["content-type": "none"]),
        ContractCase("slow-head-1", has: [#""access_token":"ey"#]),
        ContractCase("drip-0", has: [#""access_token":"ey"#]),
    ]

    static let refusals: [ContractCase] = [
        ContractCase("unknown", 401, code: "OAUTH-10"), ContractCase("unknown-400", 400, code: "OAUTH-10"),
        ContractCase("unknown-404", 404, code: "OAUTH-10"), ContractCase("bad-secret", 401, code: "OAUTH-11"),
        ContractCase("client-not-trusted", 403, code: "OAUTH-12"),
        ContractCase("grant-not-enabled", 400, code: "OAUTH-13"), ContractCase("user-disabled", 403, code: "OAUTH-14"),
        ContractCase("scope-not-allowed", 400, code: "OAUTH-15"),
        ContractCase("too-many-tokens", 403, code: "OAUTH-16"),
        ContractCase("wrong-host", 404, code: "OAUTH-17"),
        ContractCase("rfc6749", 400, has: [#"{"error":"invalid_grant","error_description":"#]),
        ContractCase("rfc6749-invalid_client", 401, has: [#"{"error":"invalid_client""#]),
        ContractCase("throttled", 429, fields: ["retry-after": "none"], code: "OAUTH-429"),
        ContractCase("throttled-7", 429, fields: ["retry-after": "7"], code: "OAUTH-429"),
        ContractCase("throttled-malformed", 429, fields: ["retry-after": "after the rain, perhaps"]),
        ContractCase("throttled-day", 429, fields: ["retry-after": "86400"]),
        ContractCase("throttled-date-60", 429, code: "OAUTH-429"),
        ContractCase("status-500", 500, fields: ["retry-after": "none"], code: "OAUTH-500"),
        ContractCase("unavailable", 503, fields: ["retry-after": "none"]),
        ContractCase("unavailable-7", 503, fields: ["retry-after": "7"]),
        ContractCase("status-503-retry-7", 503, fields: ["retry-after": "7"]),
        ContractCase("flap-2", 503, code: "OAUTH-503"),
    ]

    static let faults: [ContractCase] = [
        ContractCase("empty-502", 502, fields: ["content-length": "0"]),
        ContractCase("html-502", 502, has: ["<html>"], fields: ["content-type": "text/html; charset=utf-8"]),
        ContractCase("html-200", 200, has: ["<html>"]),
        ContractCase("truncated", has: [#"{"access_token":"ey"#], lacks: ["}"]),
        ContractCase("bom", has: ["\u{FEFF}{"]),
        ContractCase("invalid-utf8", has: [#""note":""#]),
        ContractCase("duplicate", has: [#""access_token":"another-token""#]),
        ContractCase("nested-100000", has: [#""nested":["#, String(repeating: "[", count: 100_000)]),
        ContractCase("token-crlf", has: [#"\r\nx-injected: yes","#]),
        ContractCase("token-nul", has: [#"\u0000x","#]),
        ContractCase("no-token", has: ["{}"]),
        ContractCase("empty-token", has: [#""access_token":"""#]),
        ContractCase("null-token", has: [#""access_token":null"#]),
        ContractCase("number-token", has: [#""access_token":7"#]),
        ContractCase("array", has: ["[]"]),
        ContractCase("flood-1"), ContractCase("flood-chunked-1"),
        ContractCase("redirect-307-same", 307), ContractCase("redirect-302-same", 302),
        ContractCase("redirect-307-other", 307), ContractCase("redirect-302-other", 302),
    ]

    /// The behaviours after which there is no complete reply, each with a test of its own.
    static let withoutReply = [
        "reset-before", "reset-within-head", "reset-after-head", "reset-within-body", "close-before",
        "close-within-head", "close-after-head", "close-within-body", "refused", "never", "never-after-head",
    ]

    static let all = success + refusals + faults
}
