/// A host that is this machine and nothing else, checked without asking a name service.
package struct LoopbackHost: Sendable, Equatable {
    /// The address in numbers.
    package let address: String

    /// The host as it stands in a URL.
    package var inURL: String {
        address.contains(":") ? "[\(address)]" : address
    }

    /// Takes a name or an address; refuses whatever isn't loopback.
    package init(_ host: String) throws {
        let parts = host.split(separator: ".", omittingEmptySubsequences: false).map { part in UInt8(part) }
        switch host {
        case "localhost": address = "127.0.0.1"
        case "::1", "[::1]": address = "::1"
        case _ where parts.count == 4 && parts.first == 127 && !parts.contains(nil): address = host
        default: throw StandInTenant.Fault("“\(host)” is not a loopback address; the stand-in listens on no other")
        }
    }
}
