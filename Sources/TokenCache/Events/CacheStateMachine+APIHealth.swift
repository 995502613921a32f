import OperatorReplies
import TokenProtocol

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// The checks of the API of tenants whose users may be provisioned.
extension CacheStateMachine {
    /// Returns the checks of a tenant's API, or none if nobody may use it.
    func apiChecks(_ tenant: TenantState, _ name: String, _ now: Instant, _ wall: Date) -> [HealthReply.Check] {
        guard tenant.governor.limits.provisioning != nil else { return [] }
        return [
            circuit("api_circuit", tenant, .api, "calls of the tenant's API fail", name, now, wall),
            hold("api_hold", tenant, .api, name, now, wall), apiClients(tenant, name, now, wall),
        ]
    }

    private func apiClients(_ tenant: TenantState, _ name: String, _ now: Instant, _ wall: Date) -> HealthReply.Check {
        // There are at most two of them.
        let refused = tenant.apiClients.refusals.sorted { $0.key < $1.key }
        guard let since = refused.map(\.value.since).min() else {
            return HealthReply.Check(name: "api_clients", tenant: name, status: .ok)
        }
        let named = refused.map { "\($0.key) (status \($0.value.upstream.status))" }.joined(separator: ", ")
        return HealthReply.Check(
            name: "api_clients",
            tenant: name,
            status: .failing,
            description: "the tenant's API refuses these clients: \(named): look at their roles and scopes",
            since: Self.text(since, now, wall)
        )
    }
}
