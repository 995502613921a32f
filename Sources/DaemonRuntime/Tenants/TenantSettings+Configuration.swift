package import DaemonConfiguration
package import Tenant

extension TenantSettings {
    /// The settings that the configuration gives for a tenant.
    package init(_ tenant: DaemonConfiguration.Tenant, proxy: ProxySettings?) {
        self.init(
            origin: tenant.host,
            clientID: tenant.clientID,
            timeout: tenant.timeout,
            caFile: tenant.caFile,
            userAgent: "tokencached/\(Version.current)"
        )
        self.proxy = proxy
    }
}
