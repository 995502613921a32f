import Glibc
package import NIOSSL
import Synchronization
import SystemPackage

/// The trusted certificate authorities: the system's, and those of a file.
///
/// The file is read at once, so that a fault of it is found with the configuration. The system's authorities take
/// milliseconds and a megabyte, so they are read for the first connection. All are read again when a tenant's
/// certificate is rejected, as another authority may have signed a new certificate.
package final class TrustStore: Sendable {
    /// A function that makes the settings of connections which trust the system's authorities and some more.
    package typealias Loader = @Sendable (_ more: [NIOSSLCertificate]) throws -> NIOSSLContext

    /// The least time between two reads, so that a tenant with a wrong certificate causes no load on the disk.
    private static let readInterval = Duration.seconds(1)

    private struct State {
        /// The file's authorities, as long as they are not part of the context.
        var unused: [NIOSSLCertificate]
        var context: NIOSSLContext?
        var lastRead: ContinuousClock.Instant?
    }

    private let file: String?
    private let protocols: [String]
    private let load: Loader
    private let state: Mutex<State>

    /// Reads the file's authorities.
    ///
    /// - Parameters:
    ///   - file: A file in PEM form.
    ///   - protocols: The protocols that connections offer (ALPN).
    ///   - load: The reader of the system's authorities, or nil for the usual one.
    /// - Throws: An error where the file can't be read.
    package init(_ file: String?, protocols: [String] = TrustStore.http, load: Loader? = nil) throws {
        self.file = file
        self.protocols = protocols
        self.load = load ?? { try Self.context(trusting: .default, and: $0, offering: protocols) }
        state = Mutex(State(unused: try Self.read(file)))
    }

    /// Returns the authorities for connections that are opened now, and reads the system's if that was not done yet.
    ///
    /// If the system's can't be read, the file's are used alone. They are read again after the first rejection.
    ///
    /// - Throws: An error where the library has no memory left.
    package func context() throws -> NIOSSLContext {
        try state.withLock { state in
            if let context = state.context { return context }
            let context =
                try (try? load(state.unused))
                ?? Self.context(trusting: nil, and: state.unused, offering: protocols)
            (state.context, state.unused) = (context, [])
            return context
        }
    }

    /// Reads the authorities again after a certificate was rejected, unless that was done a moment ago.
    ///
    /// - Parameter used: The authorities with which it was rejected.
    /// - Returns: True if another attempt would use authorities that were read later.
    package func renew(after used: NIOSSLContext, now: ContinuousClock.Instant) -> Bool {
        state.withLock { state in
            if state.context !== used { return true }
            if let last = state.lastRead, now - last < Self.readInterval { return false }
            state.lastRead = now
            // If the file is missing or being written, the authorities stay as they are.
            guard let more = try? Self.read(file), let context = try? load(more) else { return false }
            state.context = context
            return true
        }
    }

    /// Reads the system's authorities, and adds some more.
    @Sendable package static func load(_ more: [NIOSSLCertificate]) throws -> NIOSSLContext {
        try context(trusting: .default, and: more, offering: http)
    }

    /// The protocol of a tenant.
    package static let http = ["http/1.1"]

    private static func context(
        trusting roots: NIOSSLTrustRoots?,
        and more: [NIOSSLCertificate],
        offering protocols: [String]
    ) throws -> NIOSSLContext {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.minimumTLSVersion = .tlsv12
        configuration.applicationProtocols = protocols
        configuration.trustRoots = roots ?? .certificates([])
        configuration.additionalTrustRoots = [.certificates(more)]
        return try NIOSSLContext(configuration: configuration)
    }

    private static func read(_ file: String?) throws -> [NIOSSLCertificate] {
        try file.map { try NIOSSLCertificate.fromPEMBytes(content(of: $0)) } ?? []
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
