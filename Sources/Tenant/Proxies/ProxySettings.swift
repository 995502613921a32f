package import Secrets

/// The HTTP proxy through which a tenant is reached.
///
/// It is asked for a tunnel (CONNECT), and can't read what passes through it.
package struct ProxySettings: Sendable, Equatable {
    /// A name or an address.
    ///
    /// An IPv6 address has no brackets.
    package var host: String
    package var port: Int
    /// User and password with a colon between them, as in RFC 7617, or nil if none are sent.
    package var credentials: ClientSecret?

    /// Creates settings with credentials in the form of RFC 7617, or without any.
    package init(host: String, port: Int, credentials: ClientSecret? = nil) {
        self.host = host
        self.port = port
        self.credentials = credentials
    }

    /// Creates the settings of a proxy that requires a user and a password.
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
