import Tenant

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// The tenant's certificate, and its clock.
extension TenantFacts {
    /// The time in seconds within which a certificate should have been renewed: three weeks.
    ///
    /// Automatic renewal happens a month before the end as a rule, so one that is still due then doesn't work.
    private static let renewalTime = 21 * 86_400.0
    /// The difference in seconds from which a clock isn't synchronised, well above the error of this measurement.
    private static let noticeableOffset = 30.0
    /// The difference in seconds at which servers refuse signed assertions, whose lifetime is a few minutes.
    private static let refusedOffset = 300.0

    var certificate: Finding? {
        switch report.handshake {
        case .success(let handshake): return judge(handshake)
        case .failure(let fault):
            let times = report.rejected.map { "; \(Self.text($0))" } ?? ""
            return .failed(.certificate, tenant, fault.sentence + times, FaultAdvice.text(for: fault, report))
        case nil: return nil
        }
    }

    private func judge(_ handshake: TenantProbe.Handshake) -> Finding {
        let start =
            "\(handshake.version) in \(handshake.time.inMilliseconds), the certificate is trusted and for this host"
        guard let validity = handshake.validity else { return .ok(.certificate, tenant, start) }
        let left = Double(validity.until) - now
        let found = "\(start); it ends on \(Self.date(validity.until)), in \(Int(left / 86_400)) days"
        guard left < Self.renewalTime else { return .ok(.certificate, tenant, found) }
        return .warning(
            .certificate,
            tenant,
            found,
            "the operator of \(report.usesProxy ? "the tenant" : report.host) has to renew it; no call works after its end"
        )
    }

    private static func text(_ validity: TenantProbe.Validity) -> String {
        "it is valid from \(date(validity.from)) to \(date(validity.until))"
    }

    private static func date(_ seconds: Int) -> String {
        Date(timeIntervalSince1970: Double(seconds)).formatted(.iso8601.year().month().day())
    }

    var clock: Finding? {
        guard case .success(let answer) = report.answer else { return nil }
        guard let offset = answer.clockOffset else {
            return .skipped(.clock, tenant, "the tenant's answer has no date to compare this machine's clock with")
        }
        let found =
            abs(offset) < 1
            ? "this machine's clock agrees with the tenant's"
            : "this machine's clock is \(Self.text(abs(offset))) \(offset > 0 ? "behind" : "ahead of") the tenant's"
        let advice = "synchronise the clock of this machine: timedatectl set-ntp true, or its hypervisor's clock"
        if abs(offset) > Self.refusedOffset {
            return .failed(.clock, tenant, "\(found): assertions that a client_key signs are refused", advice)
        }
        return abs(offset) > Self.noticeableOffset
            ? .warning(.clock, tenant, found, advice) : .ok(.clock, tenant, found)
    }

    private static func text(_ seconds: Double) -> String {
        seconds < 120 ? "\(Int(seconds.rounded())) s" : seconds < 1e8 ? "\(Int(seconds / 60)) min" : "years"
    }
}
