package import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// Finds out how far a tenant can be reached, step by step, in the same way as the daemon's own calls.
///
/// It sends no secret except a proxy's password, which the tunnel requires. The tenant gets one HEAD request without
/// credentials.
package struct TenantProbe: Sendable {
    /// The most addresses that are tried: a host with more of them is a large service whose addresses are alike.
    private static let mostAddresses = 8

    private let settings: TenantSettings
    private let connector: Connector
    private let trust: TrustStore

    /// Creates a probe.
    ///
    /// - Throws: ``TenantClient/SettingsFault``, or an error where the file of certificate authorities can't be read.
    package init(
        _ settings: TenantSettings,
        on group: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton
    ) throws {
        guard let tenant = Endpoint(origin: settings.origin) else { throw TenantClient.SettingsFault.origin }
        if settings.proxy != nil, tenant.isSecure, tenant.isAddress {
            throw TenantClient.SettingsFault.addressBehindProxy
        }
        self.settings = settings
        connector = Connector(tenant: tenant, proxy: settings.proxy, group: group)
        trust = try TrustStore(settings.caFile)
    }

    /// Performs the steps until one fails.
    ///
    /// - Parameter limit: The time limit of each step.
    package func run(limit: Duration) async -> Report {
        var report = Report(
            host: connector.host,
            port: connector.port,
            usesProxy: connector.proxy != nil,
            usesTLS: connector.tenant.isSecure
        )
        guard let channel = await connect(&report, limit) else { return report }
        await proceed(on: channel, &report, limit)
        channel.close(promise: nil)
        return report
    }

    private func proceed(on channel: any Channel, _ report: inout Report, _ limit: Duration) async {
        if let proxy = connector.proxy {
            let began = ContinuousClock.now
            report.tunnel = await Self.result {
                try await connector.tunnel(channel, proxy, until: began + limit)
                return .now - began
            }
            guard case .success = report.tunnel else { return }
        }
        if connector.tenant.isSecure {
            let seen = SeenCertificate()
            report.handshake = await Self.result { try await handshake(channel, seen, limit) }
            report.rejected = seen.validity
            guard case .success = report.handshake else { return }
        }
        report.answer = await Self.result { try await ask(channel, limit) }
    }

    private static func result<Value>(_ step: () async throws -> Value) async -> Result<Value, CallFault> {
        do {
            return .success(try await step())
        } catch let error as AnswerError {
            guard case .incomplete(let fault) = error.reason else { return .failure(CallFault(.notHTTP)) }
            return .failure(fault)
        } catch {
            return .failure(.answering(error))
        }
    }

    // MARK: Connecting

    /// Looks the name up and connects to each address.
    ///
    /// - Returns: The connection to the first address that answered.
    private func connect(_ report: inout Report, _ limit: Duration) async -> (any Channel)? {
        let side = connector.proxy == nil ? CallFault.Side.tenant : .proxy
        let (host, port) = (connector.host, connector.port)
        let lookUp = HostAddresses(host: host, port: port, on: connector.group.next())
        let addresses: [SocketAddress]
        do {
            addresses = Array(try await lookUp.addresses(within: limit, at: side).prefix(Self.mostAddresses))
            report.addresses = .success(addresses.map(Self.text))
        } catch {
            report.addresses = .failure(error as? CallFault ?? .connecting(error, at: side))
            return nil
        }
        let results = await dial(addresses, limit)
        report.attempts = zip(addresses, results).map { Attempt(address: Self.text($0), result: $1.map(\.time)) }
        let channels = results.compactMap { try? $0.get().channel }
        for channel in channels.dropFirst() { channel.close(promise: nil) }
        return channels.first
    }

    private typealias Dialled = (channel: any Channel, time: Duration)

    private func dial(_ addresses: [SocketAddress], _ limit: Duration) async -> [Result<Dialled, CallFault>] {
        await withTaskGroup(of: (Int, Result<Dialled, CallFault>).self) { group in
            for (index, address) in addresses.enumerated() {
                group.addTask {
                    let began = ContinuousClock.now
                    let result = await Self.result {
                        let channel = try await connector.dial(to: address, within: limit)
                        return Dialled(channel, .now - began)
                    }
                    return (index, result)
                }
            }
            var results: [Int: Result<Dialled, CallFault>] = [:]
            for await (index, result) in group { results[index] = result }
            return addresses.indices.map { results[$0] ?? .failure(CallFault(.notConnected)) }
        }
    }

    private static func text(_ address: SocketAddress) -> String { address.ipAddress ?? "an address of another kind" }

    // MARK: TLS and HTTP

    private func handshake(
        _ channel: any Channel,
        _ seen: SeenCertificate,
        _ limit: Duration
    ) async throws -> Handshake {
        let began = ContinuousClock.now
        try await connector.secure(channel, try trust.context(), until: began + limit, seen: seen)
        let time = ContinuousClock.now - began
        return try await channel.eventLoop.submit {
            let tls = try channel.pipeline.syncOperations.handler(type: NIOSSLClientHandler.self)
            return Handshake(
                version: Self.name(tls.tlsVersion),
                validity: tls.peerCertificate.map(Validity.init),
                time: time
            )
        }.get()
    }

    private static func name(_ version: TLSVersion?) -> String {
        switch version {
        case .tlsv12: "TLS 1.2"
        case .tlsv13: "TLS 1.3"
        default: "TLS"
        }
    }

    private func ask(_ channel: any Channel, _ limit: Duration) async throws -> Answer {
        let request = TenantRequest(method: .HEAD, target: "/")
        let head = HTTPRequestHead(
            version: .http1_1,
            method: request.method,
            uri: request.target,
            headers: ["host": connector.tenant.authority, "user-agent": settings.userAgent, "connection": "close"]
        )
        let connection = try await TenantConnection.open(channel, opened: .now, generation: 0)
        let began = ContinuousClock.now
        let before = Date().timeIntervalSince1970
        let answer = try await connection.call(head, request, until: began + limit)
        let time = ContinuousClock.now - began
        // The date has whole seconds, so half a second is added to it. It was written half-way between both moments.
        let middle = before + time / .seconds(2)
        let offset = answer.headers.first(name: "date").flatMap(HTTPDate.seconds).map { $0 + 0.5 - middle }
        return Answer(status: answer.status, clockOffset: offset, time: time)
    }
}
