import Foundation
import NIOCore
import NIOPosix

/// A connection to an HTTP server, over which a test sends any bytes.
package struct HTTPExchange: Sendable {
    /// A response, taken apart.
    package struct Response: Sendable {
        /// The status code.
        package let status: Int
        /// The header fields by their names in lower case.
        package let fields: [String: String]
        package let body: String

        init?(_ text: String) {
            guard let end = text.range(of: "\r\n\r\n") else { return nil }
            let lines = text[..<end.lowerBound].components(separatedBy: "\r\n")
            guard let status = lines[0].split(separator: " ").dropFirst().first.flatMap({ Int($0) }) else { return nil }
            let fields = lines.dropFirst().map { line in
                let colon = line.firstIndex(of: ":") ?? line.endIndex
                let value = line[colon...].dropFirst().trimmingCharacters(in: .whitespaces)
                return (line[..<colon].lowercased(), value)
            }
            self.status = status
            self.fields = Dictionary(fields) { "\($0), \($1)" }
            body = String(text[end.upperBound...])
        }
    }

    /// There was no response.
    package struct NoResponse: Error {
        let text: String
    }

    private let channel: NIOAsyncChannel<ByteBuffer, ByteBuffer>

    /// Connects to a port of this machine.
    package init(port: Int, host: String = "127.0.0.1") async throws {
        channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelOption(.allowRemoteHalfClosure, value: true)
            .connect(to: SocketAddress(ipAddress: host, port: port)) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel(
                        wrappingChannelSynchronously: channel,
                        configuration: .init(isOutboundHalfClosureEnabled: true)
                    )
                }
            }
    }

    /// Sends bytes, and returns everything that comes until the server closes.
    ///
    /// - Parameter ends: True if the client sends no more than this.
    package func send(_ text: String, ends: Bool = false) async throws -> String {
        try await channel.executeThenClose { inbound, outbound in
            var received = ""
            do {
                try await outbound.write(ByteBuffer(string: text))
                if ends { outbound.finish() }
                for try await buffer in inbound { received += String(buffer: buffer) }
            } catch {
                // The server may close while bytes are on their way, which resets the connection.
                if received.isEmpty { throw error }
            }
            return received
        }
    }

    /// Makes a request, and returns the response.
    package func request(
        _ path: String,
        method: String = "GET",
        host: String = "localhost",
        fields: String = ""
    ) async throws -> Response {
        let text = try await send("\(method) \(path) HTTP/1.1\r\nHost: \(host)\r\n\(fields)\r\n")
        guard let response = Response(text) else { throw NoResponse(text: text) }
        return response
    }

    /// Closes the connection without a request.
    package func close() async throws {
        try await channel.executeThenClose { _, _ in }
    }

    /// Makes a request over a connection of its own.
    package static func get(_ path: String, port: Int) async throws -> Response {
        try await HTTPExchange(port: port).request(path)
    }
}
