import DaemonConfiguration
import Foundation
import TokenCache

/// Fuzzes a configuration file: it is read, or rejected with faults that are safe to print.
func fuzzConfiguration(_ input: [UInt8]) throws(BrokenPromise) {
    let configuration: DaemonConfiguration
    do throws(ConfigurationFaults) {
        configuration = try DaemonConfiguration.parse(Data(input), file: "c.yaml") { _ in
            .success(TenantsDirectory([.init(name: "x", path: "x.yaml", content: .success(input))]))
        }
    } catch {
        return try check(error)
    }
    try check(!configuration.tenants.isEmpty, "a configuration has a tenant")
    for tenant in configuration.tenants.values {
        try check(tenant.timeout > .zero, "a tenant has a timeout")
        let policy = tenant.policy
        try check(policy.ratePerMinute > 0 && policy.burst > 0 && policy.maxConcurrent > 0, "calls may go")
        try check(tenant.host.hasPrefix("http"), "a tenant is called by HTTP")
    }
}

/// Checks that a rejection names a fault and is safe to print.
private func check(_ error: ConfigurationFaults) throws(BrokenPromise) {
    try check(!error.faults.isEmpty, "a rejected file has a fault")
    let isSafe = error.description.unicodeScalars.allSatisfy {
        $0 == "\n" || ![.control, .format, .lineSeparator].contains($0.properties.generalCategory)
    }
    try check(isSafe, "a fault is safe to print")
}
