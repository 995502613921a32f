import Foundation
import TestSupport
import Testing

/// A program that listens at a socket and answers each line with the same text.
///
/// It stands for a daemon of another version, and for a program that is no daemon.
final class ScriptedDaemon {
    private let directory: TemporaryDirectory
    private let program: Program

    /// The socket's path.
    var path: String { directory.path("s") }

    /// Starts a program that answers with a text, in which `ID` stands for the number of the line on its connection.
    init(answering text: String) throws {
        directory = try TemporaryDirectory()
        try directory.write(text, to: "reply")
        let script = """
            while read -r line; do
                id=$((id + 1))
                LC_ALL=C sed "s/ID/$id/" \(directory.path("reply"))
            done

            """
        try directory.write(script, to: "script")
        program = try Program(
            "/usr/bin/socat",
            ["-d", "-d", "UNIX-LISTEN:\(directory.path("s")),fork", "EXEC:/bin/sh \(directory.path("script"))"]
        )
        _ = try #require(program.waitForOutput("listening on"), "\(program.written)")
    }

    /// Runs the operator's tool against the program.
    func control(_ arguments: [String]) throws -> (status: Int32, output: String) {
        try Program.run(
            "tokencachectl",
            arguments,
            environment: ["TOKENCACHED_SOCKET": path, "TOKENCACHED_ADMIN_SOCKET": path]
        )
    }
}
