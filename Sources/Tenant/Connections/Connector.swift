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
/// The name is looked up anew for each. Where there is a proxy, it is the proxy's name, and the proxy looks up the tenant's.
struct Connector: Sendable {
    let tenant: Endpoint
    let proxy: ProxySettings?
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
        progress.begins(.connectTimeout, at: proxy == nil ? .tenant : .proxy)
        let channel = try await dial(within: time)
        do {
            if let proxy {
                progress.begins(.answerTimeout, at: .proxy)
                try await tunnel(channel, proxy, until: deadline)
            }
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

    private func dial(within time: Duration) async throws -> any Channel {
        do {
            return try await ClientBootstrap(group: group.next())
                .connectTimeout(TimeAmount(max(time, .milliseconds(1))))
                // What comes before there is anybody to read it would be lost.
                .channelOption(.autoRead, value: false)
                .connect(host: proxy?.host ?? tenant.host, port: proxy?.port ?? tenant.port)
                .get()
        } catch {
            throw CallFault.connecting(error, at: proxy == nil ? .tenant : .proxy)
        }
    }

    private func tunnel(
        _ channel: any Channel,
        _ proxy: ProxySettings,
        until deadline: ContinuousClock.Instant
    ) async throws {
        let promise = channel.eventLoop.makePromise(of: Void.self)
        channel.readsOnce(promise, orFails: CallFault(.connectionLost, at: .proxy)) { pipeline in
            try pipeline.addHandler(TunnelHandler(to: tenant.hostAndPort, by: proxy, promise))
        }
        try await promise.value(until: deadline, or: CallFault(.answerTimeout, at: .proxy))
    }

    private func secure(
        _ channel: any Channel,
        _ trust: NIOSSLContext,
        until deadline: ContinuousClock.Instant
    ) async throws {
        let name = tenant.isAddress ? nil : tenant.host
        let promise = channel.eventLoop.makePromise(of: Void.self)
        channel.readsOnce(promise, orFails: CallFault(.tlsFailed)) { pipeline in
            try pipeline.addHandler(HandshakeHandler(promise))
            try pipeline.addHandler(NIOSSLClientHandler(context: trust, serverHostname: name), position: .first)
        }
        try await promise.value(until: deadline, or: CallFault(.tlsTimeout))
    }
}

extension Channel {
    /// Begins to read what comes when its handlers are there; before, it would be lost.
    ///
    /// - Parameters:
    ///   - promise: It is broken where the handlers can't be added, as the channel is closed by then. From then on the
    ///     handlers see to it.
    ///   - fault: For what.
    fileprivate func readsOnce(
        _ promise: EventLoopPromise<Void>,
        orFails fault: CallFault,
        _ add: @escaping @Sendable (ChannelPipeline.SynchronousOperations) throws -> Void
    ) {
        eventLoop.execute {
            do {
                try add(self.pipeline.syncOperations)
                _ = self.setOption(.autoRead, value: true)
            } catch {
                promise.fail(fault)
            }
        }
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
