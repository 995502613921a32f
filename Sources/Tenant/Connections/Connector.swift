import NIOCore
import NIOPosix
import NIOSSL
import NIOTLS

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// Makes connections to a tenant: looks its name up, connects, and shakes hands over TLS.
///
/// The name is looked up anew for each.
struct Connector: Sendable {
    let tenant: Endpoint
    let group: any EventLoopGroup

    /// Makes a connection.
    ///
    /// - Parameter time: How long it may take in all.
    /// - Throws: ``CallFault``.
    func connect(
        _ trust: NIOSSLContext,
        within time: Duration,
        _ progress: CallProgress
    ) async throws -> any Channel {
        let deadline = ContinuousClock.now + time
        progress.begins(.connectTimeout)
        let channel = try await dial(tenant, within: time)
        do {
            if tenant.isSecure {
                progress.begins(.tlsTimeout)
                try await secure(channel, trust, until: deadline)
            }
            return channel
        } catch {
            channel.close(promise: nil)
            throw error
        }
    }

    private func dial(_ endpoint: Endpoint, within time: Duration) async throws -> any Channel {
        do {
            return try await ClientBootstrap(group: group.next())
                .connectTimeout(TimeAmount(max(time, .milliseconds(1))))
                .channelOption(.socketOption(.tcp_nodelay), value: 1)
                // What comes before there is anybody to read it would be lost.
                .channelOption(.autoRead, value: false)
                .connect(host: endpoint.host, port: endpoint.port)
                .get()
        } catch {
            throw CallFault.connecting(error)
        }
    }

    private func secure(
        _ channel: any Channel,
        _ trust: NIOSSLContext,
        until deadline: ContinuousClock.Instant
    ) async throws {
        let name = tenant.isAddress ? nil : tenant.host
        let promise = channel.eventLoop.makePromise(of: Void.self)
        try await channel.eventLoop.submit {
            let pipeline = channel.pipeline.syncOperations
            try pipeline.addHandler(HandshakeHandler(promise))
            try pipeline.addHandler(NIOSSLClientHandler(context: trust, serverHostname: name), position: .first)
        }.get()
        try await channel.setOption(.autoRead, value: true).get()
        try await promise.value(until: deadline, or: CallFault(.tlsTimeout))
    }
}

extension EventLoopPromise<Void> {
    /// Waits for it to be kept; past a deadline, or when the task is cancelled, it is broken.
    func value(until deadline: ContinuousClock.Instant, or fault: CallFault) async throws {
        let timer = futureResult.eventLoop.scheduleTask(in: TimeAmount(max(deadline - .now, .zero))) { fail(fault) }
        defer { timer.cancel() }
        try await withTaskCancellationHandler {
            try await futureResult.get()
        } onCancel: {
            fail(CallFault(.shutDown))
        }
    }
}

/// Tells when a TLS handshake is over, and why it failed.
final class HandshakeHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer

    private let promise: EventLoopPromise<Void>

    init(_ promise: EventLoopPromise<Void>) { self.promise = promise }

    func handlerAdded(context: ChannelHandlerContext) {
        if !context.channel.isActive { promise.fail(CallFault(.tlsFailed)) }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case TLSUserEvent.handshakeCompleted? = event as? TLSUserEvent {
            promise.succeed()
            context.pipeline.syncOperations.removeHandler(self, promise: nil)
        }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        let tls = try? context.pipeline.syncOperations.handler(type: NIOSSLClientHandler.self)
        let now = Int(Date().timeIntervalSince1970)
        promise.fail(CallFault.handshaking(error, tls?.peerCertificate, now: now))
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        promise.fail(CallFault(.tlsFailed))
        context.fireChannelInactive()
    }
}

@available(*, unavailable)
extension HandshakeHandler: Sendable {}
