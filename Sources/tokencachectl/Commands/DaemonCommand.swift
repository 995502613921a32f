package import ArgumentParser
package import TokenCacheClient

/// A command that asks the daemon.
package protocol DaemonCommand: AsyncParsableCommand {
    /// The socket that takes the requests, unless the command's options choose another one.
    static var socket: SocketKind { get }
    /// The socket that takes the requests.
    var socket: SocketKind { get }
    /// The options that name the sockets.
    var sockets: SocketOptions { get }
    /// The command that explains the next answer for the token that this command is about, or nil if it is about none.
    var explanation: String? { get }

    /// The words on the command line that choose this command.
    static var name: String { get }

    /// Returns what to do about an error, or nil if the same holds as for other commands.
    func advice(on error: TokenCacheError) -> String?
    /// Asks the daemon, prints what it says, and returns the code that the tool exits with.
    func perform(_ client: TokenCacheClient) async throws -> ExitCode
}

extension DaemonCommand {
    package static var socket: SocketKind { .admin }
    package static var name: String { configuration.commandName ?? _commandName }
    package var socket: SocketKind { Self.socket }
    package var explanation: String? { nil }

    package func advice(on error: TokenCacheError) -> String? { nil }

    package mutating func run() async throws {
        let exitCode: ExitCode
        do {
            exitCode = try await sockets.withClient(of: socket, perform)
        } catch let error as TokenCacheError {
            throw Terminal.report(error, context(of: error))
        }
        guard exitCode == .success else { throw exitCode }
    }

    private func context(of error: TokenCacheError) -> ErrorContext {
        let path = sockets.path(of: socket)
        return ErrorContext(
            command: Self.name,
            socket: socket,
            path: path,
            access: SocketAccess(of: path),
            explanation: explanation,
            advice: advice(on: error)
        )
    }
}
