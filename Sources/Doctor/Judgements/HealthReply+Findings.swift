package import OperatorReplies

extension HealthReply {
    /// The findings, one for each check of the daemon that isn't ok.
    package var findings: [Finding] {
        let faults = checks.filter { $0.status != .ok }.map(Self.judge)
        return faults.isEmpty ? [.ok(.health, nil, "the daemon finds nothing wrong")] : faults
    }

    private static func judge(_ check: Check) -> Finding {
        let since = check.since.map { ", since \($0)" } ?? ""
        return Finding(
            .health,
            check.tenant,
            check.status == .degraded ? .warning : .failed,
            "\(check.name): \(check.description ?? "no description")\(since)",
            advice(on: check)
        )
    }

    private static func advice(on check: Check) -> String {
        switch check.name {
        case "circuit": "the daemon tries the tenant again by itself; the steps before show whether it can be reached"
        case "hold":
            "the tenant asked for a pause; if it keeps doing so, lower rate, or look for who else uses its limit"
        case "client": "see the client's secret, and that the OAuth client in the tenant is published and trusted"
        case "clients": "see the secrets and scopes of the clients that it names, and the OAuth clients in the tenant"
        case "access": "correct the names in access and admin.users, or see why the name service doesn't know them"
        case "metrics": "free the address, or correct metrics.listen; the daemon tries again every 10 s"
        case "socket": "systemctl restart tokencached.socket tokencached-admin.socket"
        default: "tokencachectl health; journalctl -u tokencached -p warning"
        }
    }
}
