package import Tenant

/// The reachability of one tenant.
package struct TenantFacts: Sendable {
    package var tenant: String
    package var report: TenantProbe.Report
    /// The wall clock, in seconds since 1970.
    package var now: Double

    /// Creates facts.
    package init(tenant: String, report: TenantProbe.Report, now: Double) {
        self.tenant = tenant
        self.report = report
        self.now = now
    }
}

extension TenantFacts {
    /// The findings, one for each step that was done.
    package var findings: [Finding] {
        [name, connection, tunnel, certificate, http, clock].compactMap(\.self)
    }

    private var host: String { report.usesProxy ? "the proxy \(report.host)" : report.host }

    private var name: Finding? {
        switch report.addresses {
        case .success([report.host]): .ok(.name, tenant, "\(host) is an address")
        case .success(let addresses):
            .ok(.name, tenant, "\(host) has \(addresses.joined(separator: ", "))")
        case .failure(let fault):
            .failed(.name, tenant, "\(host): \(fault.sentence)", FaultAdvice.text(for: fault, report))
        case nil: nil
        }
    }

    private var connection: Finding? {
        guard !report.attempts.isEmpty else { return nil }
        let text = report.attempts.map(Self.text).joined(separator: ", ")
        let faults = report.attempts.compactMap(\.fault)
        guard let first = faults.first else { return .ok(.connection, tenant, "connected: \(text)") }
        let isReachable = faults.count < report.attempts.count
        let advice = FaultAdvice.text(for: first, report)
        let found = "port \(report.port) of \(host): \(text)"
        return isReachable
            ? .warning(.connection, tenant, found, "calls to these addresses are delayed: \(advice)")
            : .failed(.connection, tenant, found, advice)
    }

    private static func text(_ attempt: TenantProbe.Attempt) -> String {
        switch attempt.result {
        case .success(let time): "\(attempt.address) in \(time.inMilliseconds)"
        case .failure(let fault): "\(attempt.address) \(fault.code)"
        }
    }

    private var tunnel: Finding? {
        switch report.tunnel {
        case .success(let time): .ok(.tunnel, tenant, "the proxy connects to the tenant in \(time.inMilliseconds)")
        case .failure(let fault):
            .failed(.tunnel, tenant, fault.sentence, FaultAdvice.text(for: fault, report))
        case nil: nil
        }
    }

    private var http: Finding? {
        switch report.answer {
        case .success(let answer) where answer.status >= 500:
            .warning(
                .http,
                tenant,
                "it answers with status \(answer.status) in \(answer.time.inMilliseconds)",
                "the tenant or a server before it is in trouble: look at the status page of the tenant's operator"
            )
        case .success(let answer):
            .ok(.http, tenant, "it answers with status \(answer.status) in \(answer.time.inMilliseconds)")
        case .failure(let fault): .failed(.http, tenant, fault.sentence, FaultAdvice.text(for: fault, report))
        case nil: nil
        }
    }
}

extension TenantProbe.Attempt {
    fileprivate var fault: CallFault? {
        if case .failure(let fault) = result { fault } else { nil }
    }
}

extension Duration {
    /// The duration in milliseconds, with one decimal.
    var inMilliseconds: String { "\((self / .milliseconds(1) * 10).rounded() / 10) ms" }
}
