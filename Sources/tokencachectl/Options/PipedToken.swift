import ArgumentParser
import Glibc

/// A token that an API has rejected, as commands take it.
///
/// The token is never an argument, as every user of the machine sees the arguments of all programs.
enum PipedToken {
    /// The longest token in bytes: that of a request's line, beyond which it can't be sent.
    private static let longest = 65_536

    /// Reads a token from standard input, up to the end of the line.
    ///
    /// - Parameter option: The option that names the token by its digest, for people at a terminal.
    static func read(orUse option: String) throws -> String {
        guard isatty(STDIN_FILENO) == 0 else {
            throw ValidationError("Pipe the token to standard input, or name it by \(option).")
        }
        var input = StandardInput(longestLine: longest)
        guard let token = try input.next(), !token.isEmpty else {
            throw ValidationError("There is no token on standard input.")
        }
        return token
    }

    /// Returns a digest from the command line unchanged, if it can be one.
    static func digest(_ argument: String) throws -> String {
        guard argument.utf8.count == 64, argument.allSatisfy({ $0.isASCII && $0.isHexDigit }) else {
            throw ValidationError("It needs the 64 hexadecimal digits of the token's SHA-256.")
        }
        return argument
    }
}
