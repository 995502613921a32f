import DaemonConfiguration
import DaemonRuntime
import Tenant

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// The steps that reach out to a tenant.
extension Examination {
    /// The time limit of each step, below which a tenant is too slow for the users that wait.
    private static let stepLimit = Duration.seconds(5)

    /// The tenants that are examined at the same time, so that several that don't answer take no longer than one.
    static let tenantsTogether = 16

    /// Reaches out to several tenants, and returns the findings in the tenants' order.
    func reach(_ names: [String], _ machine: Machine) async -> [Finding] {
        await withTaskGroup(of: (String, [Finding]).self) { group in
            for name in names { group.addTask { (name, await reach(name, machine)) } }
            var findings: [String: [Finding]] = [:]
            for await (name, found) in group { findings[name] = found }
            return names.flatMap { findings[$0] ?? [] }
        }
    }

    private func reach(_ name: String, _ machine: Machine) async -> [Finding] {
        guard let tenant = machine.configuration.configuration?.tenants[name] else { return [] }
        let probe: TenantProbe
        do {
            let proxy = try machine.proxies.proxy(of: tenant)
            probe = try TenantProbe(TenantSettings(tenant, proxy: proxy))
        } catch let obstacle as ProxyProbe.Obstacle {
            return [.skipped(.name, name, obstacle.reason, "run the doctor as root")]
        } catch TenantClient.SettingsFault.addressBehindProxy {
            let advice = "name the tenant's host, as a certificate can't be checked for an address behind a proxy"
            return [.failed(.name, name, "\(tenant.host) is an address, and the tenant has a proxy", advice)]
        } catch {
            return [.skipped(.name, name, "the tenant's ca_file can't be read", "see the step configuration")]
        }
        let report = await probe.run(limit: Self.stepLimit)
        return TenantFacts(tenant: name, report: report, now: Date().timeIntervalSince1970).findings
    }
}
