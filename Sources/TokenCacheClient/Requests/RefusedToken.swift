import Crypto

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

extension TokenCacheClient {
    /// A token that the tenant's API has refused, identified by its digest.
    ///
    /// The value contains no token, so it may be printed.
    public struct RefusedToken: Sendable, Hashable {
        /// The SHA-256 of the token, as hexadecimal digits.
        public let digest: String

        /// Identifies a token by itself.
        ///
        /// - Parameter token: The refused token.
        public static func accessToken(_ token: String) -> RefusedToken {
            RefusedToken(digest: digest(of: token))
        }

        /// Identifies a token by its digest, as a web page names the token that it has.
        ///
        /// - Parameter digits: The SHA-256 of the refused token, as 64 hexadecimal digits.
        public static func sha256(_ digits: String) -> RefusedToken { RefusedToken(digest: digits) }

        /// True if the token is this one.
        func isToken(_ token: String) -> Bool { Self.digest(of: token) == digest.lowercased() }

        private static func digest(of token: String) -> String {
            let digits = Array("0123456789abcdef")
            let bytes = SHA256.hash(data: Data(token.utf8))
            return String(bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] })
        }
    }
}
