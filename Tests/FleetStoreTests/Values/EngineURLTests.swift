import FleetStore
import Testing

@Suite("Addresses of engines")
struct EngineURLTests {
    @Test(
        "An address has a place, a database, and TLS or not.",
        arguments: [
            ("redis://127.0.0.1", EngineURL(address: .host("127.0.0.1", port: 6_379))),
            ("redis://cache:7000/", EngineURL(address: .host("cache", port: 7_000))),
            (
                "rediss://cache.internal:6380/3",
                EngineURL(address: .host("cache.internal", port: 6_380), isSecure: true, database: 3)
            ),
            ("redis://[::1]:7000", EngineURL(address: .host("::1", port: 7_000))),
            ("rediss://[fd00::2]/1", EngineURL(address: .host("fd00::2", port: 6_379), isSecure: true, database: 1)),
            ("unix:///run/valkey.sock", EngineURL(address: .socket(path: "/run/valkey.sock"))),
            ("unix:///run/valkey.sock?db=2", EngineURL(address: .socket(path: "/run/valkey.sock"), database: 2)),
        ]
    )
    func valid(text: String, url: EngineURL) throws { #expect(try EngineURL(text) == url) }

    @Test(
        "A fault of an address is named.",
        arguments: [
            ("http://cache", EngineURL.Fault.scheme), ("redis:cache", .scheme),
            ("redis://user:word@cache", .userInformation),
            ("redis://", .host), ("redis:///1", .host), ("redis://a b", .host), ("redis://cache:", .port),
            ("redis://cache:0", .port), ("redis://cache:65536", .port), ("redis://cache/x", .database),
            ("redis://cache/-1", .database), ("redis://cache/10000", .database), ("unix://run/valkey", .path),
            ("unix:///a?x=1", .database), ("unix:///" + String(repeating: "a", count: 107), .path),
        ]
    )
    func invalid(text: String, fault: EngineURL.Fault) {
        #expect(throws: fault) { try EngineURL(text) }
    }

    @Test(
        "Plain TCP to another machine is recognised.",
        arguments: [
            ("redis://127.0.0.1", false), ("redis://127.1.2.3", false), ("redis://localhost", false),
            ("redis://[::1]", false),
            ("unix:///run/v", false), ("rediss://cache", false), ("redis://cache", true), ("redis://10.0.0.1", true),
            ("redis://127.0.0.1.example.org", true), ("redis://127.example.org", true),
        ]
    )
    func plain(text: String, isPlain: Bool) throws {
        #expect(try EngineURL(text).isPlainToOtherMachine == isPlain)
    }
}
