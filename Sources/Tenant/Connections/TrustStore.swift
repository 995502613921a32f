import NIOSSL
import Synchronization

/// The authorities whose signature makes a tenant's certificate trusted: the system's, and those of a file.
///
/// They are read again when a certificate isn't taken, as the tenant may have another one, of another authority, by now.
final class TrustStore: Sendable {
    /// At most so often: a tenant whose certificate is wrong costs no disk.
    private static let lookInterval = Duration.seconds(1)

    private struct State {
        var context: NIOSSLContext
        var lastLook: ContinuousClock.Instant?
    }

    private let file: String?
    private let state: Mutex<State>

    /// - Parameter file: In PEM form.
    /// - Throws: Where the file can't be read.
    init(_ file: String?) throws {
        self.file = file
        state = Mutex(State(context: try Self.read(file)))
    }

    /// What connections are made with now.
    var context: NIOSSLContext { state.withLock { $0.context } }

    /// Reads the authorities again.
    ///
    /// - Parameter used: What the connection was made with whose certificate was not taken.
    /// - Returns: Whether another attempt would be made with authorities that were read later.
    func isRenewed(after used: NIOSSLContext, now: ContinuousClock.Instant) -> Bool {
        state.withLock { state in
            if state.context !== used { return true }
            if let last = state.lastLook, now - last < Self.lookInterval { return false }
            state.lastLook = now
            // A file that is missing or being written is no reason to trust others than before.
            guard let context = try? Self.read(file) else { return false }
            state.context = context
            return true
        }
    }

    private static func read(_ file: String?) throws -> NIOSSLContext {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.minimumTLSVersion = .tlsv12
        configuration.applicationProtocols = ["http/1.1"]
        if let file {
            configuration.additionalTrustRoots = [.certificates(try NIOSSLCertificate.fromPEMFile(file))]
        }
        return try NIOSSLContext(configuration: configuration)
    }
}
