import Secrets

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// Finds the proxy in the process's environment, by the rules of curl.
///
/// It is the first that is set of `https_proxy`, `HTTPS_PROXY`, `all_proxy` and `ALL_PROXY`. Hosts in `no_proxy` or
/// `NO_PROXY` have none. The variables are for https only: plain HTTP is used only for this machine.
package struct ProxyEnvironment: Sendable {
    /// A variable that isn't the URL of an HTTP proxy.
    ///
    /// Its value may hold a password and isn't shown.
    package struct Fault: Error, Equatable, CustomStringConvertible {
        /// The variable's name.
        package let variable: String
        package var description: String {
            "\(variable) in the environment should be the URL of an HTTP proxy, such as http://proxy.example:3128"
        }
    }

    /// The port that curl takes for a proxy whose URL names none.
    private static let defaultPort = 1_080

    private let variables: [String: String]

    /// Creates a finder for an environment.
    package init(_ variables: [String: String]) { self.variables = variables }

    /// Returns the proxy for a tenant, or nil if it is reached without one.
    package func proxy(forOrigin origin: String) throws(Fault) -> ProxySettings? {
        guard let tenant = Endpoint(origin: origin), tenant.isSecure, !isExempt(tenant.host),
            let (name, value) = first(["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"])
        else { return nil }
        guard let proxy = Self.proxy(value) else { throw Fault(variable: name) }
        return proxy
    }

    /// Returns the first variable that is set and not empty.
    private func first(_ names: [String]) -> (name: String, value: String)? {
        names.lazy.compactMap { name in variables[name].map { (name, $0) } }.first { !$0.1.isEmpty }
    }

    private func isExempt(_ host: String) -> Bool {
        guard let (_, list) = first(["no_proxy", "NO_PROXY"]) else { return false }
        let host = Self.plain(host)
        return list.split { ", \t".contains($0) }.contains { entry in
            let entry = Self.plain(entry.hasPrefix(".") ? entry.dropFirst() : entry)
            return entry == "*" || !entry.isEmpty && (host == entry || host.hasSuffix("." + entry))
        }
    }

    private static func plain(_ host: some StringProtocol) -> String {
        let host = host.lowercased()
        return host.hasSuffix(".") ? String(host.dropLast()) : host
    }

    private static func proxy(_ value: String) -> ProxySettings? {
        let text = value.contains("://") ? value : "http://" + value
        guard let url = URL(string: text), url.scheme?.lowercased() == "http",
            let host = url.host(percentEncoded: false),
            !host.isEmpty, (1...65_535).contains(url.port ?? defaultPort)
        else { return nil }
        var proxy = ProxySettings(host: host, port: url.port ?? defaultPort)
        if let user = url.user(percentEncoded: false), !user.isEmpty {
            let password = url.password(percentEncoded: false) ?? ""
            proxy.credentials = ClientSecret("\(user):\(password)")
        }
        return proxy
    }
}
