package import ArgumentParser
package import TokenCacheClient

/// A command that makes one request and prints the reply.
package protocol RequestCommand: DaemonCommand {
    /// The request to make.
    var request: TokenCacheClient.Request { get }
    /// The option that chooses the form of the output.
    var output: OutputOptions { get }

    /// Lays the reply out for people.
    func text(of reply: Reply, _ display: Display) throws -> String
    /// Returns the code that the tool exits with after the reply.
    func exitCode(after reply: Reply) throws -> ExitCode
}

extension RequestCommand {
    package func exitCode(after reply: Reply) -> ExitCode { .success }

    /// Returns the text to print for a reply.
    package func text(for reply: Reply, _ display: Display = .plain) throws -> String {
        output.json ? reply.json : try text(of: reply, display)
    }

    package func perform(_ client: TokenCacheClient) async throws -> ExitCode {
        try await performOnce(client)
    }

    /// Makes the request and prints the reply.
    func performOnce(_ client: TokenCacheClient) async throws -> ExitCode {
        let reply = Reply(try await client.call(request))
        let exitCode = try exitCode(after: reply)
        try Terminal.write(text(for: reply, .standardOutput))
        return exitCode
    }
}
