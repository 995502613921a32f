import Crypto
import FoundationEssentials
import NIOSSL
import SwiftASN1
import X509

/// A certificate authority that lives as long as one stand-in, and the certificates that it signs.
struct CertificateAuthority: Sendable {
    private static let day = 86_400.0

    private let key: P256.Signing.PrivateKey
    private let name: DistinguishedName
    private let certificate: Certificate

    /// An authority with a key of its own.
    init() throws {
        let key = P256.Signing.PrivateKey()
        let name = try DistinguishedName { CommonName("The stand-in tenant's authority") }
        self.key = key
        self.name = name
        certificate = try Self.certificate(
            of: Certificate.PublicKey(key.publicKey),
            named: name,
            days: -30...3_650,
            signedBy: key,
            named: name,
            Certificate.Extensions {
                Critical(BasicConstraints.isCertificateAuthority(maxPathLength: 0))
                Critical(KeyUsage(keyCertSign: true, cRLSign: true))
                SubjectKeyIdentifier(hash: Certificate.PublicKey(key.publicKey))
            }
        )
    }

    /// The authority's certificate as PEM: what a client has to trust.
    func pem() throws -> String {
        try certificate.serializeAsPEM().pemString
    }

    /// What TLS needs to present a certificate of a kind for a loopback host; nothing for plain HTTP.
    func serverContext(_ kind: StandInTenant.TransportSecurity, for host: LoopbackHost) throws -> NIOSSLContext? {
        switch kind {
        case .none: nil
        case .valid: try serverContext(names: Self.names(of: host), days: -1...30)
        case .expired: try serverContext(names: Self.names(of: host), days: -10 ... -1)
        case .notYetValid: try serverContext(names: Self.names(of: host), days: 1...30)
        case .wrongName: try serverContext(names: [.dnsName("wrong-name.invalid")], days: -1...30)
        }
    }

    private static func names(of host: LoopbackHost) throws -> [GeneralName] {
        let addresses = try Set(["127.0.0.1", "::1", host.address]).sorted().map { address in
            GeneralName.ipAddress(ASN1OctetString(contentBytes: try bytes(of: address)[...]))
        }
        return [.dnsName("localhost")] + addresses
    }

    /// An address of the few that are loopback, as a certificate has it.
    private static func bytes(of address: String) throws -> [UInt8] {
        let parts = address.split(separator: ".").compactMap { part in UInt8(part) }
        return parts.count == 4 ? parts : [UInt8](repeating: 0, count: 15) + [1]
    }

    private func serverContext(names: [GeneralName], days: ClosedRange<Int>) throws -> NIOSSLContext {
        let leafKey = P256.Signing.PrivateKey()
        let leaf = try Self.certificate(
            of: Certificate.PublicKey(leafKey.publicKey),
            named: try DistinguishedName { CommonName("The stand-in tenant") },
            days: days,
            signedBy: key,
            named: name,
            Certificate.Extensions {
                Critical(BasicConstraints.notCertificateAuthority)
                Critical(KeyUsage(digitalSignature: true))
                try ExtendedKeyUsage([.serverAuth])
                SubjectAlternativeNames(names)
                SubjectKeyIdentifier(hash: Certificate.PublicKey(leafKey.publicKey))
            }
        )
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: [
                .certificate(try NIOSSLCertificate(bytes: Array(leaf.serializeAsPEM().pemString.utf8), format: .pem))
            ],
            privateKey: .privateKey(try NIOSSLPrivateKey(bytes: Array(leafKey.pemRepresentation.utf8), format: .pem))
        )
        configuration.minimumTLSVersion = .tlsv12
        configuration.applicationProtocols = ["http/1.1"]
        return try NIOSSLContext(configuration: configuration)
    }

    private static func certificate(
        of publicKey: Certificate.PublicKey,
        named subject: DistinguishedName,
        days: ClosedRange<Int>,
        signedBy key: P256.Signing.PrivateKey,
        named issuer: DistinguishedName,
        _ extensions: Certificate.Extensions
    ) throws -> Certificate {
        let now = Date()
        return try Certificate(
            version: .v3,
            serialNumber: Certificate.SerialNumber(),
            publicKey: publicKey,
            notValidBefore: now.addingTimeInterval(Double(days.lowerBound) * day),
            notValidAfter: now.addingTimeInterval(Double(days.upperBound) * day),
            issuer: issuer,
            subject: subject,
            signatureAlgorithm: .ecdsaWithSHA256,
            extensions: extensions,
            issuerPrivateKey: Certificate.PrivateKey(key)
        )
    }
}
