import Crypto
import Foundation
import Secrets
import Tenant
import Testing

@Suite("Private keys as tools write them")
struct PrivateKeyTextTests {
    private static let curve = P384.Signing.PrivateKey()
    private static let certificate = block("CERTIFICATE", Data(repeating: 7, count: 100))
    private static let pkcs8 = block("PRIVATE KEY", curve.derRepresentation)

    /// The key as `openssl ecparam -genkey` writes it: the curve, then the key of RFC 5915.
    private static var sec1: Data {
        let start: [UInt8] = [0x30, 0x81, 0xA4, 0x02, 0x01, 0x01, 0x04, 0x30]
        let parameters: [UInt8] = [0xA0, 0x07, 0x06, 0x05, 0x2B, 0x81, 0x04, 0x00, 0x22]
        let point: [UInt8] = [0xA1, 0x64, 0x03, 0x62, 0x00]
        return Data(start) + curve.rawRepresentation + Data(parameters) + Data(point)
            + curve.publicKey.x963Representation
    }

    private static func block(_ label: String, _ der: Data, length: Int = 64, end: String = "\n") -> String {
        var lines = ["-----BEGIN \(label)-----"]
        var rest = Substring(der.base64EncodedString())
        while !rest.isEmpty {
            lines.append(String(rest.prefix(length)))
            rest = rest.dropFirst(length)
        }
        return (lines + ["-----END \(label)-----", ""]).joined(separator: end)
    }

    @Test(
        "The key is found, whatever else is in the file.",
        arguments: [
            block("EC PARAMETERS", Data([6, 5, 0x2B, 0x81, 4, 0, 0x22])) + block("EC PRIVATE KEY", sec1),
            "# the client of Müller & Söhne\n\n" + pkcs8, certificate + pkcs8, pkcs8 + certificate + certificate,
            "Bag Attributes\n    localKeyID: 49 29\nKey Attributes: <No Attributes>\n" + pkcs8,
            block("PRIVATE KEY", curve.derRepresentation, end: "\r\n"),
            "\r\n" + block("PRIVATE KEY", curve.derRepresentation, end: "  \r\n"),
            block("PRIVATE KEY", curve.derRepresentation, length: 76),
            block("PRIVATE KEY", curve.derRepresentation, length: 10_000),
        ]
    )
    func accepted(text: String) throws {
        let plain = try ClientKey(ClientSecret(Self.curve.pemRepresentation), id: nil)
        #expect(try ClientKey(ClientSecret(text), id: nil).id == plain.id)
    }

    @Test(
        "The error for an unsupported file has its form and a remedy.",
        arguments: [
            (curve.derRepresentation, "DER form", "openssl pkey -inform DER"),
            (Data([0xEF, 0xBB, 0xBF]) + Data(pkcs8.utf8), "byte-order mark", "without one"),
            (Data([0xFF, 0xFE]) + Data(pkcs8.utf8), "byte-order mark", "without one"),
            (Data(block("ENCRYPTED PRIVATE KEY", sec1).utf8), "password", "openssl pkey -in"),
            (
                Data(
                    "-----BEGIN EC PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nAAAA\n-----END EC PRIVATE KEY-----".utf8
                ),
                "password", "openssl pkey -in"
            ),
            (Data(block("OPENSSH PRIVATE KEY", sec1).utf8), "OpenSSH", "ssh-keygen"),
            (Data(certificate.utf8), "no private key, but CERTIFICATE", "put the private key there"),
            (Data((pkcs8 + pkcs8).utf8), "2 private keys", "it should hold one"),
            (Data(pkcs8.dropLast(5).utf8), "no private key", "P-384"),
            (Data("0\u{80}0".utf8), "no private key", "PEM form"),
        ]
    )
    func rejected(file: Data, problem: String, advice: String) throws {
        let secret = unsafe ClientSecret(file.withUnsafeBytes { unsafe SecretBytes(copying: $0) })
        let fault = #expect(throws: ClientKey.Fault.self) { try ClientKey(secret, id: nil) }
        #expect(fault?.description.contains(problem) == true, "\(fault?.description ?? "")")
        #expect(fault?.description.contains(advice) == true, "\(fault?.description ?? "")")
    }
}
