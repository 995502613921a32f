import HTTPTypes
import HummingbirdCore
import Logging
package import NIOCore

// MetricsServer: metrics and health over HTTP.
//
// Purpose: Prometheus, a kubelet and a load balancer speak HTTP and not the protocol of the sockets. This module serves
// three pages to them, on an event loop of its own, so that reading requests and sending pages delays no hit. It
// promises that a client can take neither memory nor connections beyond fixed bounds, that each request is answered
// within a few seconds even if the rest of the daemon is stuck, and that nothing but these pages can be reached.
//
// Hummingbird parses the requests and bounds the connections. Each connection serves one request, so that its deadline
// covers everything that a slow client can do.

/// An HTTP server for the metrics and the health of the daemon.
package struct MetricsServer: Sendable {
    /// The bounds of what clients can take.
    package struct Limits: Sendable {
        /// The longest time that a page may take.
        ///
        /// With it a client has an answer within 5 s, less than Prometheus and probes commonly wait.
        package var page: TimeAmount
        /// The shortest time between two makings of a page, for all clients together.
        ///
        /// A page takes a turn of the daemon's event loops, and no number of clients may fill these.
        package var interval: TimeAmount
        /// The time in which a connection has to send its request.
        ///
        /// Prometheus and probes send it at once. It is short, as clients that send nothing keep others waiting.
        package var request: TimeAmount
        /// The time in which a connection has to read the response.
        package var deadline: TimeAmount
        /// The most connections at once.
        ///
        /// Prometheus needs one, and each probe another. Further ones wait in the socket's queue: behind 600 that send
        /// nothing for some seven seconds.
        package var connections: Int

        /// Creates the bounds of the daemon, or others for a test.
        package init(
            page: TimeAmount = .seconds(4),
            interval: TimeAmount = .milliseconds(100),
            request: TimeAmount = .seconds(3),
            deadline: TimeAmount = .seconds(10),
            connections: Int = 256
        ) {
            self.page = page
            self.interval = interval
            self.request = request
            self.deadline = deadline
            self.connections = connections
        }
    }

    private let server: Server<HTTP1Channel>
    private let address: ListenAddress

    /// Prepares a server, which binds nothing before ``run()``.
    ///
    /// - Parameters:
    ///   - pages: The sources of the pages.
    ///   - group: The event loop that serves the connections, and no others.
    ///   - onListening: Called when the server accepts connections, with the port.
    package init(
        on address: ListenAddress,
        _ pages: Pages,
        group: any EventLoopGroup,
        limits: Limits = Limits(),
        onListening: @escaping @Sendable (Int) async -> Void
    ) {
        self.address = address
        let responder = Responder(pages, on: group.next(), within: limits.page, every: limits.interval)
        // Hummingbird's log has its own keys, and a client that sends malformed bytes deserves no line.
        let silent = Logger(label: "metrics") { _ in SwiftLogNoOpLogHandler() }
        server = Server(
            childChannelSetup: HTTP1Channel(
                responder: { request, writer, channel in
                    let isLoopback = ListenAddress.isLoopback(channel.localAddress?.ipAddress ?? "")
                    let page = await responder.page(for: request.head, isLoopback: isLoopback)
                    // A response to HEAD has the header of the one to GET.
                    let body = request.method == .head ? ResponseBody() : ResponseBody(byteBuffer: page.body)
                    try await writer.write(response: page.head, body: body)
                },
                configuration: HTTP1Channel.Configuration(additionalChannelHandlers: [ConnectionLimits(limits)]
                )
            ),
            configuration: ServerConfiguration(
                address: .hostname(address.host, port: address.port),
                backlog: limits.connections,
                availableConnectionsDelegate: MaximumAvailableConnections(limits.connections, logger: silent)
            ),
            onServerRunning: { channel in
                // One connection a turn, so that the bound is exact.
                try? await channel.setOption(.maxMessagesPerRead, value: 1).get()
                await onListening(channel.localAddress?.port ?? address.port)
            },
            eventLoopGroup: group,
            logger: silent
        )
    }

    /// Serves until ``stop()`` or the graceful shutdown of the task that it runs in.
    ///
    /// It throws if the address can't be bound.
    package func run() async throws { try await server.run() }

    /// Stops accepting, and ends when the present connections have ended, which takes a second at most.
    package func stop() async { try? await server.shutdownGracefully() }
}
