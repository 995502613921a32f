/// The keys of the section `sockets`.
enum SocketSettings {
    static let all: [Setting<DaemonConfiguration.Sockets>] = [
        .section("requests", \.requests, "The applications' socket.", socket),
        .section("admin", \.admin, "The operators' socket.", socket),
        .integer(
            "max_connections",
            \.maxConnections,
            1...100_000,
            "The most connections over both sockets."
        ),
    ]

    private static let socket: [Setting<DaemonConfiguration.Socket>] = [
        .value(
            "path",
            \.path,
            form: "an absolute path of up to \(ConfigurationReader.maxSocketPath) bytes",
            "The path of the socket.",
            stated: { $0 },
            read: { $0.socketPath($1) }
        ),
        .value(
            "mode",
            \.mode,
            form: "a mode in octal digits and quotes",
            "The permissions of the socket. A peer needs the permission to write.",
            stated: { "\"0\(String($0, radix: 8))\"" },
            read: { $0.mode($1) }
        ),
        .special(
            "group",
            form: "a group's name or number",
            "The group of the socket. Without it, the daemon's own."
        ) { reader, item, socket in
            socket.group = reader.text(item, "should be a group's name or number")
            socket.groupLine = item.line
        },
    ]

    /// Checks that the two sockets have different paths.
    static func check(
        _ reader: inout ConfigurationReader,
        _ section: Section,
        _ sockets: DaemonConfiguration.Sockets
    ) {
        guard sockets.requests.path == sockets.admin.path else { return }
        reader.note(
            section.line(of: "admin") ?? section.line,
            "sockets.admin.path",
            "should differ from sockets.requests.path"
        )
    }
}
