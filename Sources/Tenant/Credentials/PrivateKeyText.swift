#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// Finds the private key in a PEM file (RFC 7468) as tools write them.
///
/// Text before and between the blocks is skipped, and so are blocks that hold no private key: a curve's parameters, a
/// certificate, a public key. All line ends are accepted.
enum PrivateKeyText {
    /// Returns the key's DER, in the form of PKCS#8, SEC 1 or PKCS#1.
    static func der(_ file: [UInt8]) throws(ClientKey.Fault) -> [UInt8] {
        try rejectOtherForms(file)
        let blocks = blocks(of: file)
        let keys = blocks.filter(\.isPrivateKey)
        guard let key = keys.first else {
            throw ClientKey.Fault(
                blocks.isEmpty
                    ? ClientKey.Fault.general
                    : "holds no private key, but \(blocks.map(\.label).joined(separator: ", ")): put the private key there"
            )
        }
        guard keys.count == 1 else { throw ClientKey.Fault("holds \(keys.count) private keys: it should hold one") }
        try rejectOtherForms(key)
        guard let data = Data(base64Encoded: key.lines.joined()) else { throw ClientKey.Fault(ClientKey.Fault.general) }
        return Array(data)
    }

    // MARK: Unsupported forms

    private static func rejectOtherForms(_ file: [UInt8]) throws(ClientKey.Fault) {
        let marks: [[UInt8]] = [[0xEF, 0xBB, 0xBF], [0xFE, 0xFF], [0xFF, 0xFE]]
        if marks.contains(where: file.starts) {
            throw ClientKey.Fault("begins with a byte-order mark: save it as ASCII or UTF-8 without one")
        }
        // An ASN.1 sequence, the length of which has one to four bytes of its own. No text begins like that.
        if file.count > 2, file[0] == 0x30, (0x81...0x84).contains(file[1]) {
            throw ClientKey.Fault(
                "holds a key in DER form: convert it to PEM, with openssl pkey -inform DER -in FILE -out FILE.pem"
            )
        }
    }

    private static func rejectOtherForms(_ key: Block) throws(ClientKey.Fault) {
        // The older form is marked by a header field (RFC 1421), the newer one by its label.
        if key.label == "ENCRYPTED PRIVATE KEY" || key.lines.contains(where: { $0.contains("ENCRYPTED") }) {
            throw ClientKey.Fault(
                "holds a private key with a password: take it off, with openssl pkey -in FILE -out FILE.pem, as the daemon "
                    + "has nobody to ask"
            )
        }
        if key.label == "OPENSSH PRIVATE KEY" {
            throw ClientKey.Fault(
                "holds a private key in OpenSSH's form: convert it to PEM, with ssh-keygen -p -m PKCS8 -f FILE"
            )
        }
    }

    // MARK: Blocks

    private struct Block {
        var label: String
        var lines: [Substring] = []

        var isPrivateKey: Bool { label.hasSuffix("PRIVATE KEY") }
    }

    private static func blocks(of file: [UInt8]) -> [Block] {
        var blocks: [Block] = []
        var open: Block?
        for line in file.split(whereSeparator: { $0 == 0x0A || $0 == 0x0D }) {
            let text = String(decoding: line, as: UTF8.self).trimmed
            if let label = label(of: text, "BEGIN") {
                open = Block(label: label)
            } else if let block = open, label(of: text, "END") == block.label {
                blocks.append(block)
                open = nil
            } else {
                open?.lines.append(text[...])
            }
        }
        return blocks
    }

    private static func label(of line: String, _ word: String) -> String? {
        let (start, end) = ("-----\(word) ", "-----")
        guard line.hasPrefix(start), line.hasSuffix(end), line.utf8.count > start.utf8.count + end.utf8.count else {
            return nil
        }
        let label = line.dropFirst(start.count).dropLast(end.count)
        return label.utf8.allSatisfy { (0x20...0x7E).contains($0) } ? String(label) : nil
    }
}
