import Glibc
import NIOCore
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

    /// The authorities for connections that are made now.
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
            configuration.additionalTrustRoots = [.certificates(try NIOSSLCertificate.fromPEMBytes(content(of: file)))]
        }
        return try NIOSSLContext(configuration: configuration)
    }

    /// In bytes; Debian's file of all public authorities (`ca-certificates`) has about 220,000.
    private static let largestFile = 1_048_576

    /// A file's content; a pipe is refused, as to open one that nobody writes to would take for ever.
    private static func content(of file: String) throws -> [UInt8] {
        let descriptor = unsafe open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)
        guard descriptor >= 0 else { throw IOError(errnoCode: errno, reason: "open") }
        defer { close(descriptor) }
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG,
            status.st_size <= largestFile
        else { throw IOError(errnoCode: EINVAL, reason: "it is no regular file, or too large") }
        var content: [UInt8] = []
        var part = [UInt8](repeating: 0, count: 65_536)
        while content.count <= largestFile {
            let count = unsafe Glibc.read(descriptor, &part, part.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw IOError(errnoCode: errno, reason: "read") }
            guard count > 0 else { break }
            content += part[..<count]
        }
        return content
    }
}
