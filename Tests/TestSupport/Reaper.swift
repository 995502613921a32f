import Foundation

/// Kills the programs that outlive their tests.
///
/// Without it those of a run that is stopped would live on.
///
/// It is a shell that reads the programs' numbers from a pipe of this process. When the pipe ends, this process is
/// gone, however it ended.
final class Reaper: Sendable {
    static let shared = Reaper()

    private static let script = """
        trap '' INT TERM HUP
        programs=' '
        while read -r sign program; do
            case $sign in
            +) programs="$programs$program " ;;
            -) case $programs in
                *" $program "*) programs="${programs%% $program *} ${programs#* $program }" ;;
                esac ;;
            esac
        done
        for program in $programs; do kill -KILL "$program" 2>/dev/null; done
        """

    private let input: FileHandle

    private init() {
        let pipe = Pipe()
        input = pipe.fileHandleForWriting
        let shell = Process()
        shell.executableURL = URL(filePath: "/bin/sh")
        shell.arguments = ["-c", Self.script]
        shell.standardInput = pipe
        shell.standardOutput = FileHandle.nullDevice
        shell.standardError = FileHandle.nullDevice
        // The tests work without it.
        try? shell.run()
    }

    /// Adds a program that has been started.
    func add(_ program: Int32) { write("+ \(program)\n") }

    /// Removes a program that has ended.
    func remove(_ program: Int32) { write("- \(program)\n") }

    private func write(_ line: String) { try? input.write(contentsOf: Data(line.utf8)) }
}
