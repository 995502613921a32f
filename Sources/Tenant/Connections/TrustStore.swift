import Glibc
import NIOSSL
import Synchronization
import SystemPackage

/// The trusted certificate authorities: the system's, and those of a file.
///
/// They are read again when a tenant's certificate is rejected, as another authority may have signed a new certificate.
package final class TrustStore: Sendable {
    /// The least time between two reads, so that a tenant with a wrong certificate causes no load on the disk.
    private static let readInterval = Duration.seconds(1)

    private struct State {
        var context: NIOSSLContext
        var lastRead: ContinuousClock.Instant?
    }

    private let file: String?
    private let state: Mutex<State>

    /// Reads the authorities.
    ///
    /// - Parameter file: A file in PEM form.
    /// - Throws: An error where the file can't be read.
    package init(_ file: String?) throws {
        self.file = file
        state = Mutex(State(context: try Self.read(file)))
    }

    /// The authorities for connections that are opened now.
    var context: NIOSSLContext { state.withLock { $0.context } }

    /// Reads the authorities again after a certificate was rejected, unless that was done a moment ago.
    ///
    /// - Parameter used: The authorities with which it was rejected.
    /// - Returns: True if another attempt would use authorities that were read later.
    func renew(after used: NIOSSLContext, now: ContinuousClock.Instant) -> Bool {
        state.withLock { state in
            if state.context !== used { return true }
            if let last = state.lastRead, now - last < Self.readInterval { return false }
            state.lastRead = now
            // If the file is missing or being written, the authorities stay as they are.
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

    /// The largest file in bytes.
    ///
    /// Debian's file of all public authorities (`ca-certificates`) has about 220,000.
    private static let largestFile = 1_048_576

    /// Reads a file's content.
    ///
    /// The file is opened without blocking, because opening a pipe without a writer would block for ever.
    private static func content(of file: String) throws -> [UInt8] {
        let options: FileDescriptor.OpenOptions = [.closeOnExec, .nonBlocking, .init(rawValue: O_NOCTTY)]
        let descriptor = unsafe try FileDescriptor.open(file, .readOnly, options: options)
        defer { try? descriptor.close() }
        let status = try descriptor.stat()
        guard status.type == .regular, status.size <= largestFile else { throw Errno.invalidArgument }
        var content: [UInt8] = []
        var part = [UInt8](repeating: 0, count: 65_536)
        while content.count <= largestFile {
            let count = unsafe try part.withUnsafeMutableBytes { unsafe try descriptor.read(into: $0) }
            guard count > 0 else { break }
            content += part[..<count]
        }
        return content
    }
}
