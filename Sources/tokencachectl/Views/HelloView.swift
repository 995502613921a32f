import SafeText
package import TokenCacheClient

/// Lays out for people what the calling user may ask the daemon.
package struct HelloView {
    private let hello: TokenCacheClient.Hello
    private let display: Display

    package init(_ hello: TokenCacheClient.Hello, _ display: Display = .plain) {
        self.hello = hello
        self.display = display
    }

    /// Aligned lines.
    package var text: String {
        var rows = AlignedRows(display)
        rows.add("daemon", "\(hello.server.printable) \(hello.version.printable), protocol \(hello.protocolVersion)")
        rows.add("operations", Self.list(hello.operations))
        rows.add("tenants", Self.list(hello.tenants))
        if !hello.clients.isEmpty { rows.add("clients", Self.list(hello.clients)) }
        if let fleet = hello.fleet { rows.add("fleet", Self.text(of: fleet)) }
        return rows.text
    }

    private static func text(of fleet: TokenCacheClient.Hello.Fleet) -> String {
        let since = fleet.since.map { " since \($0.printable)" } ?? ""
        return "\(fleet.isConnected ? "connected" : "away")\(since), \(fleet.machines) machines"
    }

    private static func list(_ names: [String]) -> String {
        names.isEmpty ? "none" : names.map(\.printable).joined(separator: ", ")
    }
}
