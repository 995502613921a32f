/// Reads the link to the next page of a list.
enum PageLink {
    /// The longest link, in bytes.
    private static let longest = 16_384

    /// Returns the path and the query of a link, or nil if it leads anywhere else than to the same list.
    ///
    /// The request for the next page has the token of a client that may change users.
    ///
    /// - Parameters:
    ///   - link: A URL, or a path with a query.
    ///   - path: The list's path.
    static func target(_ link: String, at tenant: Endpoint, path: String) -> String? {
        guard link.utf8.count <= longest, link.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "#") }),
            let target = localPart(of: link, at: tenant), target.hasPrefix("\(path)?")
        else { return nil }
        return String(target)
    }

    /// The part of a link after the tenant's origin, or nil if it has another one.
    private static func localPart(of link: String, at tenant: Endpoint) -> Substring? {
        if link.hasPrefix("/"), !link.hasPrefix("//") { return link[...] }
        guard let scheme = link.firstRange(of: "://"),
            let slash = link[scheme.upperBound...].firstIndex(of: "/"),
            let origin = Endpoint(origin: link[..<slash].lowercased()),
            (origin.host, origin.port, origin.isSecure) == (tenant.host.lowercased(), tenant.port, tenant.isSecure)
        else { return nil }
        return link[slash...]
    }
}
