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
        return rows.text
    }

    private static func list(_ names: [String]) -> String {
        names.isEmpty ? "none" : names.map(\.printable).joined(separator: ", ")
    }
}
