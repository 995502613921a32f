package import ArgumentParser
package import TokenCacheClient

/// A command that makes one request and prints the reply.
package protocol RequestCommand: AsyncParsableCommand {
    /// The socket that takes the request.
    static var socket: SocketKind { get }
    /// The options that name the sockets.
    var sockets: SocketOptions { get }
    /// The request to make.
    var request: TokenCacheClient.Request { get }
    /// True if the reply is printed as JSON, and not laid out.
    var printsJSON: Bool { get }

    /// Lays the reply out for people.
    func text(of reply: Reply) throws -> String
    /// Returns the code that the tool exits with after the reply.
    func exitCode(after reply: Reply) throws -> ExitCode
}

extension RequestCommand {
    package static var socket: SocketKind { .admin }
    package var printsJSON: Bool { false }
    package func exitCode(after reply: Reply) -> ExitCode { .success }

    /// Returns the text to print for a reply.
    package func output(for reply: Reply) throws -> String { printsJSON ? reply.json : try text(of: reply) }

    package mutating func run() async throws {
        do {
            let reply = try await sockets.withClient(of: Self.socket) { Reply(try await $0.call(request)) }
            let exitCode = try exitCode(after: reply)
            try Terminal.write(output(for: reply))
            guard exitCode == .success else { throw exitCode }
        } catch let error as TokenCacheError {
            throw Terminal.report(error)
        }
    }
}
