/// The key `proxy` of a tenant.
extension ConfigurationReader {
    private static var proxyRule: String {
        "should be http://host:port, environment, or { url: http://host:port, user: NAME, password: { file: PATH } }"
    }

    /// Reads `proxy`: a URL, `environment`, or a URL with a user and a password.
    mutating func readProxy(_ item: Item, _ tenant: inout DaemonConfiguration.Tenant) {
        tenant.lines.proxy = item.line
        if item.text == "environment" {
            tenant.proxy = .environment
        } else if item.text != nil {
            tenant.proxy = proxy(item, user: nil)
        } else if var section = Section(item.node, path: item.path, line: item.line) {
            readProxy(&section, &tenant)
            noteUnknown(section, known: ["url", "user", "password"])
        } else {
            note(item, Self.proxyRule)
        }
        if case .server? = tenant.proxy, tenant.isSecureAddress {
            note(item, "needs a name in host: behind a proxy a certificate can't be checked for an address")
        }
    }

    private mutating func readProxy(_ section: inout Section, _ tenant: inout DaemonConfiguration.Tenant) {
        let (url, name, password) = (section.take("url"), section.take("user"), section.take("password"))
        tenant.lines.proxyPassword = password?.line
        var user: DaemonConfiguration.ProxyUser?
        switch (name, password) {
        case (let name?, let password?): user = proxyUser(name, password)
        case (let name?, nil): note(name, "should come with a password")
        case (nil, let password?): note(password, "should come with a user")
        case (nil, nil): break
        }
        guard let url else { return note(section.line, section.dotted("url"), "is missing") }
        tenant.proxy = proxy(url, user: user)
    }

    private mutating func proxyUser(_ name: Item, _ password: Item) -> DaemonConfiguration.ProxyUser? {
        let source = secret(password)
        // RFC 7617, section 2: the first colon ends the name.
        guard let text = name.text, !text.isEmpty, !text.contains(":"),
            text.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F })
        else {
            note(name, "should be a user's name without a colon")
            return nil
        }
        return source.map { .init(name: text, password: $0) }
    }

    /// Reads a proxy's URL.
    ///
    /// No fault shows any of it, as it may hold a password by mistake.
    private mutating func proxy(_ item: Item, user: DaemonConfiguration.ProxyUser?) -> DaemonConfiguration.Proxy? {
        if item.text?.contains("@") == true {
            note(item, "should be without user and password: they are keys of their own, the password's a file")
            return nil
        }
        guard let (host, port) = item.text.flatMap(Origin.plainHostAndPort) else {
            note(item, item.path.hasSuffix(".url") ? "should be http://host:port" : Self.proxyRule)
            return nil
        }
        return .server(host: host, port: port, user)
    }
}
