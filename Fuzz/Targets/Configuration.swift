import DaemonConfiguration
import Foundation
import TokenCache

/// A configuration file: whatever it holds, it is read, or refused with faults that can be shown.
func fuzzConfiguration(_ input: [UInt8]) throws(BrokenPromise) {
    let configuration: DaemonConfiguration
    do throws(ConfigurationFaults) {
        configuration = try DaemonConfiguration.parse(Data(input), file: "c.yaml")
    } catch {
        return try check(error)
    }
    try check(!configuration.tenants.isEmpty, "a configuration has a tenant")
    for tenant in configuration.tenants.values {
        try check(tenant.timeout > .zero, "a tenant has a time-out")
        let policy = tenant.policy
        try check(policy.ratePerMinute > 0 && policy.burst > 0 && policy.maxConcurrent > 0, "calls may go")
        try check(tenant.host.hasPrefix("http"), "a tenant is called by HTTP")
    }
}

/// A refusal can be shown to the file's author: it names a fault, and holds nothing that steers a terminal.
private func check(_ error: ConfigurationFaults) throws(BrokenPromise) {
    try check(!error.faults.isEmpty, "what is refused has a fault")
    let isPlain = error.description.unicodeScalars.allSatisfy {
        $0 == "\n" || ![.control, .format, .lineSeparator].contains($0.properties.generalCategory)
    }
    try check(isPlain, "a fault steers no terminal")
}
