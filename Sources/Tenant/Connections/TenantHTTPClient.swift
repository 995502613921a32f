import NIOCore
import NIOHTTP1
import TokenProtocol

/// A minimal HTTP client for one tenant, which makes one request per call, on a kept or a new connection.
struct TenantHTTPClient: Sendable {
    private let connector: Connector
    private let trust: TrustStore
    private let settings: TenantSettings
    private let pool = ConnectionPool()
    private let now: @Sendable () -> ContinuousClock.Instant

    /// Creates a client without connections.
    ///
    /// - Parameter now: The clock that connections' ages are measured on.
    init(
        _ connector: Connector,
        trust: TrustStore,
        _ settings: TenantSettings,
        now: @escaping @Sendable () -> ContinuousClock.Instant
    ) {
        self.connector = connector
        self.trust = trust
        self.settings = settings
        self.now = now
    }

    /// Closes the connections, which ends a call that is under way.
    func shutdown() { pool.shutdown() }

    /// Makes a request, in a trace or in none.
    ///
    /// - Throws: ``CallFault`` or ``AnswerError``, or an error of NIO.
    func send(_ request: TenantRequest, in trace: TraceContext?) async throws -> Answer {
        let deadline = ContinuousClock.now + settings.timeout
        return try await exchange(head(of: request, trace), request, until: deadline)
    }

    /// Makes the call on a kept connection, or on a new one.
    ///
    /// Each step ends at the deadline or before. The other side may have closed a kept connection unnoticed. In that case
    /// the request is sent again, on a new one, unless it must not be done twice or its deadline has come.
    private func exchange(
        _ head: HTTPRequestHead,
        _ request: TenantRequest,
        until deadline: ContinuousClock.Instant
    ) async throws -> Answer {
        if let kept = pool.take(now: now()) {
            kept.limitSilence(to: settings.timeout / 3)
            do {
                return try await call(head, request, on: kept, until: deadline)
            } catch {
                guard error.isUnanswered, request.isRepeatable, deadline > .now, !Task.isCancelled else { throw error }
            }
        }
        let connection = try await connect(until: deadline)
        return try await call(head, request, on: connection, until: deadline)
    }

    private func call(
        _ head: HTTPRequestHead,
        _ request: TenantRequest,
        on connection: TenantConnection,
        until deadline: ContinuousClock.Instant
    ) async throws(AnswerError) -> Answer {
        do {
            let answer = try await connection.call(head, request, until: deadline)
            pool.put(connection, now: now())
            return answer
        } catch {
            if case .incomplete = error.reason { pool.distrust() }
            throw error
        }
    }

    private func head(of request: TenantRequest, _ trace: TraceContext?) -> HTTPRequestHead {
        var head = HTTPRequestHead(
            version: .http1_1,
            method: request.method,
            uri: request.target,
            headers: [
                "host": connector.tenant.authority,
                "accept": "application/json",
                "accept-encoding": "identity",
                "user-agent": settings.userAgent,
            ]
        )
        if let body = request.body {
            head.headers.add(name: "content-type", value: "application/json")
            head.headers.add(name: "content-length", value: "\(body.readableBytes)")
        }
        if let trace { head.headers.add(name: "traceparent", value: "\(trace)") }
        return head
    }

    // MARK: New connections

    private func connect(until deadline: ContinuousClock.Instant) async throws -> TenantConnection {
        let (generation, opened) = (pool.generation, now())
        do {
            let channel = try await secureChannel(until: deadline)
            let connection = try await TenantConnection.open(channel, opened: opened, generation: generation)
            guard pool.add(connection) else { throw CallFault(.shutDown) }
            return connection
        } catch {
            pool.distrust()
            throw error
        }
    }

    /// Connects, and once more with the current authorities if none is known for the tenant's certificate.
    private func secureChannel(until deadline: ContinuousClock.Instant) async throws -> any Channel {
        // A quarter of the time is left for the reply.
        func time() -> Duration { min(settings.connectTimeout, (deadline - .now) * 3 / 4) }
        let context = connector.tenant.isSecure ? try trust.context() : nil
        do {
            return try await connector.connect(context, within: time())
        } catch let fault as CallFault {
            guard let context, fault.isOfTrust, trust.renew(after: context, now: now()) else { throw fault }
            return try await connector.connect(try trust.context(), within: time())
        }
    }
}
