import Crypto
import FoundationEssentials
import NIOSSL

/// A certificate authority that lives as long as one stand-in, and the certificates that it signs (RFC 5280).
struct CertificateAuthority: Sendable {
    private static let day = 86_400.0
    private static let name = "The stand-in tenant's authority"

    private let key = P256.Signing.PrivateKey()
    /// The authority's certificate as PEM, which a client has to trust.
    let pem: String

    init() throws {
        let isAuthority = DER.sequence(DER.basicConstraints, DER.true, DER.octetString(DER.sequence(DER.true)))
        let certificate = try Self.certificate(of: key, named: Self.name, days: -30...3_650, isAuthority, signedBy: key)
        let text = Data(certificate).base64EncodedString(options: [.lineLength64Characters, .endLineWithLineFeed])
        pem = "-----BEGIN CERTIFICATE-----\n\(text)\n-----END CERTIFICATE-----\n"
    }

    /// Returns the server's side of TLS with a certificate of a kind, unless that is plain HTTP.
    func serverContext(_ kind: StandInTenant.TransportSecurity) throws -> NIOSSLContext? {
        let loopback = DER.dnsName("localhost") + DER.item(0x87, [127, 0, 0, 1])  // An iPAddress.
        return switch kind {
        case .none: nil
        case .valid: try serverContext(names: loopback, days: -1...30)
        case .expired: try serverContext(names: loopback, days: -10 ... -1)
        case .notYetValid: try serverContext(names: loopback, days: 1...30)
        case .wrongName: try serverContext(names: DER.dnsName("wrong-name.invalid"), days: -1...30)
        }
    }

    private func serverContext(names: [UInt8], days: ClosedRange<Int>) throws -> NIOSSLContext {
        let key = P256.Signing.PrivateKey()
        let names = DER.sequence(DER.subjectAltName, DER.octetString(DER.sequence(names)))
        let certificate = try Self.certificate(of: key, named: "The stand-in", days: days, names, signedBy: self.key)
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: [.certificate(try NIOSSLCertificate(bytes: certificate, format: .der))],
            privateKey: .privateKey(try NIOSSLPrivateKey(bytes: Array(key.derRepresentation), format: .der))
        )
        configuration.minimumTLSVersion = .tlsv12
        configuration.applicationProtocols = ["http/1.1"]
        return try NIOSSLContext(configuration: configuration)
    }

    /// Makes a certificate with one extension, in DER.
    private static func certificate(
        of key: P256.Signing.PrivateKey,
        named subject: String,
        days: ClosedRange<Int>,
        _ certificateExtension: [UInt8],
        signedBy authority: P256.Signing.PrivateKey
    ) throws -> [UInt8] {
        let validity = [days.lowerBound, days.upperBound].flatMap { DER.time(Date() + Double($0) * day) }
        let content = DER.sequence(
            DER.item(0xA0, DER.integer([2])),  // Version 3.
            DER.integer([1] + (0..<8).map { _ in UInt8.random(in: 0...255) }),
            DER.ecdsaWithSHA256,
            DER.name(name),
            DER.sequence(validity),
            DER.name(subject),
            Array(key.publicKey.derRepresentation),
            DER.item(0xA3, DER.sequence(certificateExtension))
        )
        let signature = Array(try authority.signature(for: content).derRepresentation)
        return DER.sequence(content, DER.ecdsaWithSHA256, DER.item(0x03, [0] + signature))  // A BIT STRING.
    }
}

/// The parts of a certificate in DER (X.690).
private enum DER {
    static let `true` = item(0x01, [0xFF])
    static let commonName: [UInt8] = [0x06, 3, 0x55, 0x04, 0x03]
    static let basicConstraints: [UInt8] = [0x06, 3, 0x55, 0x1D, 0x13]
    static let subjectAltName: [UInt8] = [0x06, 3, 0x55, 0x1D, 0x11]
    static let ecdsaWithSHA256 = sequence([0x06, 8, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x04, 0x03, 0x02])

    static func item(_ tag: UInt8, _ content: [UInt8]) -> [UInt8] {
        let length: [UInt8] =
            switch content.count {
            case ..<0x80: [UInt8(content.count)]
            case ..<0x100: [0x81, UInt8(content.count)]
            default: [0x82, UInt8(content.count >> 8), UInt8(content.count & 0xFF)]
            }
        return [tag] + length + content
    }

    static func sequence(_ parts: [UInt8]...) -> [UInt8] { item(0x30, Array(parts.joined())) }

    static func integer(_ bytes: [UInt8]) -> [UInt8] { item(0x02, bytes) }

    static func octetString(_ content: [UInt8]) -> [UInt8] { item(0x04, content) }

    static func dnsName(_ name: String) -> [UInt8] { item(0x82, Array(name.utf8)) }

    /// A distinguished name of a SET with a common name.
    static func name(_ text: String) -> [UInt8] {
        sequence(item(0x31, sequence(commonName, item(0x0C, Array(text.utf8)))))
    }

    /// A UTCTime, which ends in 2049: the digits of `2026-11-23T22:10:00Z` without the century, and the `Z`.
    static func time(_ date: Date) -> [UInt8] {
        let digits = date.formatted(.iso8601).filter(\.isNumber).dropFirst(2)
        return item(0x17, Array("\(digits)Z".utf8))
    }
}
