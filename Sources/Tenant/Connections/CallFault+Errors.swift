import Glibc
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL

extension CallFault {
    // MARK: Connecting

    /// Returns the fault for an error of a connection attempt.
    static func connecting(_ error: any Error, at side: Side = .tenant) -> CallFault {
        CallFault(connectingCause(error), at: side)
    }

    private static func connectingCause(_ error: any Error) -> Cause {
        switch error {
        case let error as NIOConnectionError: cause(of: error)
        case ChannelError.connectTimeout: .connectTimeout
        case let error as IOError: cause(of: [error.errnoCode])
        case is CancellationError: .shutDown
        default: .notConnected
        }
    }

    /// Returns the most specific cause, as a host may have several addresses, each with its own error.
    private static func cause(of error: NIOConnectionError) -> Cause {
        let errors = error.connectionErrors.compactMap { ($0.error as? IOError)?.errnoCode }
        if !errors.isEmpty { return cause(of: errors) }
        if error.connectionErrors.contains(where: { isTimeout($0.error) }) { return .connectTimeout }
        guard error.connectionErrors.isEmpty else { return .notConnected }
        switch ((error.dnsAError ?? error.dnsAAAAError) as? SocketAddressError.UnknownHost).map(\.errorCode) {
        case nil where error.dnsAError == nil && error.dnsAAAAError == nil: return .noSuchName
        case Int(EAI_NONAME), Self.noData: return .noSuchName
        default: return .nameUnresolved
        }
    }

    /// `EAI_NODATA`, which the C library declares for its own extensions only.
    private static let noData = -5

    private static func isTimeout(_ error: any Error) -> Bool {
        if case ChannelError.connectTimeout = error { true } else { false }
    }

    private static func cause(of errors: [CInt]) -> Cause {
        let causes = errors.map(cause)
        let order: [Cause] = [.refused, .connectTimeout, .unreachable, .localLimit]
        return order.first(where: causes.contains) ?? .notConnected
    }

    private static func cause(of error: CInt) -> Cause {
        switch error {
        case ECONNREFUSED: .refused
        case ETIMEDOUT: .connectTimeout
        case ENETUNREACH, EHOSTUNREACH, ENETDOWN, EHOSTDOWN, EACCES, EPERM, EAFNOSUPPORT: .unreachable
        case EMFILE, ENFILE, ENOMEM, ENOBUFS, EADDRNOTAVAIL, EAGAIN: .localLimit
        default: .notConnected
        }
    }

    // MARK: TLS

    /// Returns the fault for an error of a TLS handshake.
    ///
    /// - Parameters:
    ///   - certificate: The tenant's certificate, if the handshake got that far.
    ///   - now: The wall clock, in seconds since 1970.
    static func handshaking(_ error: any Error, _ certificate: NIOSSLCertificate?, now: Int) -> CallFault {
        switch error {
        case let error as CallFault: error
        case let error as NIOSSLExtraError where namesOtherHost(error): CallFault(.wrongName)
        case NIOSSLError.unableToValidateCertificate: CallFault(.unknownAuthority)
        case NIOSSLError.handshakeFailed(.sslError(let errors)) where errors.contains(where: isOfVerification):
            CallFault(verification(certificate, now: now))
        default: CallFault(.tlsFailed)
        }
    }

    private static func namesOtherHost(_ error: NIOSSLExtraError) -> Bool {
        error == .failedToValidateHostname || error == .serverHostnameImpossibleToMatch
    }

    private static func isOfVerification(_ error: BoringSSLInternalError) -> Bool {
        error.description.contains("CERTIFICATE_VERIFY_FAILED")
    }

    /// Returns the cause of a failed verification, which the library doesn't report.
    ///
    /// A certificate's times are the reasons that can be checked here.
    private static func verification(_ certificate: NIOSSLCertificate?, now: Int) -> Cause {
        guard let certificate else { return .unknownAuthority }
        if certificate.notValidAfter < now { return .expired }
        if certificate.notValidBefore > now { return .notYetValid }
        return .unknownAuthority
    }

    // MARK: Replies

    /// Returns the fault for an error of an open connection.
    static func answering(_ error: any Error) -> CallFault {
        switch error {
        case let error as CallFault: error
        case HTTPParserError.invalidEOFState: CallFault(.connectionLost)
        case is HTTPParserError, is NIOHTTPDecoderError: CallFault(.notHTTP)
        case is CancellationError: CallFault(.shutDown)
        default: CallFault(.connectionLost)
        }
    }
}
