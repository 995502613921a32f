import Crypto
package import Secrets

/// The keys that the machines of a fleet share: the first seals, and all open.
///
/// The file has one key a line, 32 random bytes in base64. It has nothing else, so a mistake in it is named instead of
/// being passed over.
package struct FleetKeys: Sendable {
    /// The number of keys at most: a change of keys needs two, and each one costs a look for its names.
    package static let largestCount = 8
    /// The bytes of a key, which AES-256 needs.
    package static let length = 32

    /// The keys in the order of the file.
    package let keys: [SecretBytes]

    /// Reads the content of a file.
    package init(_ file: SecretBytes) throws(FleetKeysFault) {
        keys = try unsafe file.withUnsafeBytes { content throws(FleetKeysFault) in
            try unsafe Self.read(content, file.source)
        }
    }

    /// Short names of the keys, which tell nothing of them, for operators: eight hexadecimal digits each.
    package var ids: [String] {
        keys.map { key in
            let code = unsafe key.withUnsafeBytes { bytes in
                HMAC<SHA256>.authenticationCode(
                    for: Array("tokencached fleet key".utf8),
                    using: unsafe SymmetricKey(data: bytes)
                )
            }
            return code.prefix(4).map(\.hexadecimal).joined()
        }
    }

    private static func read(
        _ content: UnsafeRawBufferPointer,
        _ source: SecretMemory?
    ) throws(FleetKeysFault) -> [SecretBytes] {
        var rest = unsafe content[...]
        if unsafe rest.last == newline { unsafe rest.removeLast() }
        guard unsafe !rest.isEmpty else { throw .empty }
        var keys: [SecretBytes] = []
        let lines = unsafe rest.split(separator: newline, omittingEmptySubsequences: false).map { unsafe $0.indices }
        for line in lines {
            guard keys.count < largestCount else { throw .tooMany }
            guard
                let key = unsafe Base64.secret(
                    UnsafeRawBufferPointer(rebasing: content[line]),
                    count: length,
                    in: source
                )
            else {
                throw .malformed(line: keys.count + 1)
            }
            let earlier = keys.firstIndex { other in unsafe key.withUnsafeBytes { unsafe other.matches($0) } }
            if let earlier { throw .repeated(line: keys.count + 1, earlier: earlier + 1) }
            keys.append(key)
        }
        return keys
    }

    private static let newline = UInt8(ascii: "\n")
}

extension FleetKeys: Equatable {
    /// True if both have the same keys in the same order.
    package static func == (left: FleetKeys, right: FleetKeys) -> Bool {
        left.keys.count == right.keys.count
            && zip(left.keys, right.keys).allSatisfy { one, other in
                unsafe one.withUnsafeBytes { unsafe other.matches($0) }
            }
    }
}

extension FleetKeys: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The redacted text.
    package var description: String { "<fleet keys>" }
    /// The redacted text.
    package var debugDescription: String { description }
    /// A mirror without children.
    package var customMirror: Mirror { Mirror(self, children: []) }
}

/// A fault in the file of the fleet's keys.
package enum FleetKeysFault: Error, Equatable {
    /// There is no key.
    case empty
    /// There are more than ``FleetKeys/largestCount`` keys.
    case tooMany
    /// A line, counted from one, is not exactly 32 bytes in base64.
    case malformed(line: Int)
    /// A line has the key of an earlier one.
    case repeated(line: Int, earlier: Int)
}

extension FleetKeysFault: CustomStringConvertible {
    /// One sentence without any part of a key.
    package var description: String {
        switch self {
        case .empty: "it has no key"
        case .tooMany: "it has more than \(FleetKeys.largestCount) keys"
        case .malformed(let line): "line \(line) is not \(FleetKeys.length) bytes in base64"
        case .repeated(let line, let earlier): "line \(line) has the same key as line \(earlier)"
        }
    }
}
