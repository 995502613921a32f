package import Secrets

/// The HTTP proxy by which a tenant is reached: it is asked for a tunnel (CONNECT), and sees nothing of what goes through.
package struct ProxySettings: Sendable, Equatable {
    /// A name or an address; an IPv6 address without its brackets.
    package var host: String
    package var port: Int
    /// User and password with a colon between, as RFC 7617 has them; nil: none are sent.
    package var credentials: ClientSecret?

    /// Makes settings.
    package init(host: String, port: Int, credentials: ClientSecret? = nil) {
        self.host = host
        self.port = port
        self.credentials = credentials
    }

    /// Makes the settings of a proxy that asks for a user and a password.
    package init(host: String, port: Int, user: String, password: ClientSecret) {
        let start = Array((user + ":").utf8)
        let all = password.bytes.count + start.count
        let bytes = unsafe SecretBytes(count: all) { target in
            unsafe target.copyBytes(from: start)
            unsafe password.bytes.withUnsafeBytes { source in
                unsafe UnsafeMutableRawBufferPointer(rebasing: target[start.count...]).copyMemory(from: source)
            }
        }
        self.init(host: host, port: port, credentials: ClientSecret(bytes))
    }
}
