import NIOSSL
import Synchronization

/// The times of a certificate that was rejected in a handshake.
final class SeenCertificate: Sendable {
    private let state = Mutex<TenantProbe.Validity?>(nil)

    /// The certificate's times, or nil if none was seen.
    var validity: TenantProbe.Validity? { state.withLock { $0 } }

    /// Keeps the times of a certificate.
    func set(_ certificate: NIOSSLCertificate?) {
        state.withLock { $0 = certificate.map(TenantProbe.Validity.init) }
    }
}

extension TenantProbe.Validity {
    init(_ certificate: NIOSSLCertificate) {
        self.init(from: Int(certificate.notValidBefore), until: Int(certificate.notValidAfter))
    }
}
