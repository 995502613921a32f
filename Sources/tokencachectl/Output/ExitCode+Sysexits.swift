package import ArgumentParser
import Glibc
package import TokenCacheClient

extension ExitCode {
    /// The code for output that could not be written.
    package static let unwritableOutput = ExitCode(EX_IOERR)

    /// Creates the code that tells a script what kind of error a call ended with, as sysexits.h names them.
    package init(for code: TokenCacheError.Code) {
        switch code {
        case .invalidRequest, .unsupportedOperation: self.init(EX_DATAERR)
        case .unreachable: self.init(EX_UNAVAILABLE)
        case .timeout, .rateLimited, .unavailable, .overloaded, .shuttingDown: self.init(EX_TEMPFAIL)
        case .badReply, .badUpstream: self.init(EX_PROTOCOL)
        case .denied, .forbidden: self.init(EX_NOPERM)
        case .conflict: self.init(EX_CANTCREAT)
        case .invalidConfiguration, .unknownTenant: self.init(EX_CONFIG)
        default: self = .failure
        }
    }
}
