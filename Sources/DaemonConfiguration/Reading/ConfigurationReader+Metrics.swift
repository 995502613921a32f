import NIOCore

/// The section `metrics`.
extension ConfigurationReader {
    mutating func readMetrics(_ item: Item, _ configuration: inout DaemonConfiguration) {
        section(item, MetricsSettings.all, &configuration) { reader, section, configuration in
            let listen = section.take("listen")
            let mayBeRemote = reader.flag(section.take("allow_remote")) ?? false
            configuration.metricsLine = listen?.line
            configuration.metricsListen = reader.metricsAddress(listen, mayBeRemote: mayBeRemote)
        }
    }

    private mutating func metricsAddress(_ item: Item?, mayBeRemote: Bool) -> DaemonConfiguration.MetricsAddress? {
        guard let item else { return nil }
        guard let address = item.text.flatMap(Self.address) else {
            note(
                item,
                "should be an address and a port, such as 127.0.0.1:9464, \"[::1]:9464\" or localhost:9464, and no other name"
            )
            return nil
        }
        guard mayBeRemote || Self.isLoopback(address.host) else {
            note(
                item,
                "can be reached from other machines: should be 127.0.0.1, [::1] or localhost, unless metrics.allow_remote is true"
            )
            return nil
        }
        return address
    }

    private static func address(_ text: String) -> DaemonConfiguration.MetricsAddress? {
        guard let colon = text.lastIndex(of: ":"),
            let port = whole(String(text[text.index(after: colon)...])), (1...65_535).contains(port)
        else { return nil }
        let host = text[..<colon]
        if host == "localhost" { return .init(host: "127.0.0.1", port: port) }
        let isBracketed = host.hasPrefix("[") && host.hasSuffix("]")
        let inner = isBracketed ? host.dropFirst().dropLast() : host
        // An IPv6 address has colons, and the last one could be its own, so it needs the brackets.
        guard inner.contains(":") == isBracketed,
            let address = try? SocketAddress(ipAddress: String(inner), port: port).ipAddress
        else { return nil }
        return .init(host: address, port: port)
    }

    private static func isLoopback(_ host: String) -> Bool { host == "::1" || host.hasPrefix("127.") }
}
