import AsyncHTTPClient
import NIOCore
import NIOPosix
import NIOSSL

/// Says in a sentence why a call got no answer; the errors' own texts are for programmers and may show the request.
enum CallFault {
    static func sentence(_ error: any Error, timeout: Duration) -> String {
        switch error {
        case let error as HTTPClientError: sentence(error, timeout: timeout)
        case is NIOConnectionError: "the tenant can't be reached: no connection could be made"
        case is ChannelError: "the tenant can't be reached: no connection could be made"
        case is NIOSSLError, is NIOSSLExtraError, is BoringSSLError:
            "the tenant's certificate can't be trusted, or TLS can't be spoken with it"
        case is CancellationError: "the daemon is shutting down"
        default: "the connection to the tenant broke"
        }
    }

    private static func sentence(_ error: HTTPClientError, timeout: Duration) -> String {
        switch error {
        case .readTimeout, .deadlineExceeded, .writeTimeout:
            "the tenant took longer than \(timeout.components.seconds) s"
        case .connectTimeout, .getConnectionFromPoolTimeout, .tlsHandshakeTimeout:
            "the tenant can't be reached: no connection could be made in time"
        case .cancelled: "the daemon is shutting down"
        default: "the connection to the tenant broke"
        }
    }
}
