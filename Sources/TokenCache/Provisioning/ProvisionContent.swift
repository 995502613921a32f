import Secrets
import TokenProtocol

/// The content of a provision, by which two requests for a subject are told apart.
///
/// It is a digest, so that no name and no e-mail address stays in memory. All texts are compared by their bytes.
struct ProvisionContent: Equatable {
    private let digest: Fingerprint

    /// Reads the content of a request.
    ///
    /// The order of the groups doesn't matter.
    init(_ request: ProvisionRequest) {
        var bytes: [UInt8] = []
        Self.append(request.name.map { Array($0.utf8) }, to: &bytes)
        Self.append(request.email.map { Array($0.utf8) }, to: &bytes)
        let groups = request.groups.map { $0.map { Array($0.utf8) }.sorted { $0.lexicographicallyPrecedes($1) } }
        bytes.append(groups == nil ? 0 : 1)
        for group in groups ?? [] { Self.append(group, to: &bytes) }
        digest = Fingerprint(of: unsafe bytes.withUnsafeBytes { unsafe SecretBytes(copying: $0) })
    }

    /// Appends a text and its length, so that no two contents have the same bytes.
    private static func append(_ text: [UInt8]?, to bytes: inout [UInt8]) {
        guard let text else { return bytes.append(0) }
        bytes.append(1)
        unsafe withUnsafeBytes(of: UInt32(text.count).littleEndian) { unsafe bytes.append(contentsOf: $0) }
        bytes += text
    }
}
