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
        let progress = CallProgress()
        let head = head(of: request, trace)
        return try await withDeadline(deadline, progress) {
            try await exchange(head, request, until: deadline, progress)
        }
    }

    /// Bounds a whole call, on a clock that continues while the machine is suspended.
    private func withDeadline(
        _ deadline: ContinuousClock.Instant,
        _ progress: CallProgress,
        _ call: @escaping @Sendable () async throws -> Answer
    ) async throws -> Answer {
        try await withThrowingTaskGroup(of: Answer.self) { group in
            group.addTask { try await call() }
            group.addTask {
                try await Task.sleep(until: deadline, clock: .continuous)
                throw progress.timeout
            }
            defer { group.cancelAll() }
            guard let answer = try await group.next() else { throw CancellationError() }
            return answer
        }
    }

    /// Makes the call on a kept connection, or on a new one.
    ///
    /// The other side may have closed a kept connection unnoticed. In that case the request is sent again, on a new one,
    /// unless it must not be done twice.
    private func exchange(
        _ head: HTTPRequestHead,
        _ request: TenantRequest,
        until deadline: ContinuousClock.Instant,
        _ progress: CallProgress
    ) async throws -> Answer {
        if let kept = pool.take(now: now()) {
            kept.limitSilence(to: settings.timeout / 3)
            do {
                progress.begins(.answerTimeout)
                return try await call(head, request, on: kept)
            } catch {
                guard error.isUnanswered, request.isRepeatable, !Task.isCancelled else { throw error }
            }
        }
        let connection = try await connect(until: deadline, progress)
        progress.begins(.answerTimeout)
        return try await call(head, request, on: connection)
    }

    private func call(
        _ head: HTTPRequestHead,
        _ request: TenantRequest,
        on connection: TenantConnection
    ) async throws(AnswerError) -> Answer {
        do {
            let answer = try await connection.call(head, request)
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

    private func connect(
        until deadline: ContinuousClock.Instant,
        _ progress: CallProgress
    ) async throws -> TenantConnection {
        let (generation, opened) = (pool.generation, now())
        do {
            let channel = try await secureChannel(until: deadline, progress)
            let connection = try await TenantConnection.open(channel, opened: opened, generation: generation)
            guard pool.add(connection) else { throw CallFault(.shutDown) }
            return connection
        } catch {
            pool.distrust()
            throw error
        }
    }

    /// Connects, and once more with the current authorities if none is known for the tenant's certificate.
    private func secureChannel(
        until deadline: ContinuousClock.Instant,
        _ progress: CallProgress
    ) async throws -> any Channel {
        // A quarter of the time is left for the reply.
        func time() -> Duration { min(settings.connectTimeout, (deadline - .now) * 3 / 4) }
        let context = connector.tenant.isSecure ? try trust.context() : nil
        do {
            return try await connector.connect(context, within: time(), progress)
        } catch let fault as CallFault {
            guard let context, fault.isOfTrust, trust.renew(after: context, now: now()) else { throw fault }
            return try await connector.connect(try trust.context(), within: time(), progress)
        }
    }
}
