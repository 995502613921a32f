import Glibc

/// Runs another program of this machine for its output.
enum ProgramOutput {
    /// The most bytes that are read.
    private static let longest = 1_048_576

    /// Returns what a program writes to standard output, or nil if it can't be run or ends with another status than 0.
    ///
    /// - Parameter words: The program, which is looked for in `PATH`, and its arguments.
    static func of(_ words: [String], within time: Duration) -> String? {
        var ends: [CInt] = [-1, -1]
        guard unsafe pipe(&ends) == 0 else { return nil }
        defer { close(ends[0]) }
        guard fcntl(ends[0], F_SETFD, FD_CLOEXEC) == 0, let process = start(words, output: ends[1], closing: ends[0])
        else {
            close(ends[1])
            return nil
        }
        close(ends[1])
        let text = read(ends[0], until: .now + time)
        if text == nil { kill(process, SIGKILL) }
        var status: CInt = 0
        while unsafe waitpid(process, &status, 0) < 0, errno == EINTR {}
        return status == 0 ? text : nil
    }

    private static func start(_ words: [String], output: CInt, closing other: CInt) -> pid_t? {
        var actions = unsafe posix_spawn_file_actions_t()
        guard unsafe posix_spawn_file_actions_init(&actions) == 0 else { return nil }
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        unsafe posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
        unsafe posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO)
        unsafe posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0)
        unsafe posix_spawn_file_actions_addclose(&actions, other)
        var arguments = unsafe words.map { unsafe strdup($0) } + [nil]
        defer { for index in unsafe arguments.indices { unsafe free(arguments[index]) } }
        var process: pid_t = 0
        guard unsafe posix_spawnp(&process, words[0], &actions, nil, &arguments, environ) == 0 else { return nil }
        return process
    }

    private static func read(_ descriptor: CInt, until deadline: ContinuousClock.Instant) -> String? {
        var bytes: [UInt8] = []
        var part = [UInt8](repeating: 0, count: 65_536)
        while bytes.count < longest {
            var event = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            let left = max(0, (deadline - .now) / .milliseconds(1))
            guard unsafe poll(&event, 1, CInt(min(left, 60_000))) > 0 else { return nil }
            let count = unsafe Glibc.read(descriptor, &part, part.count)
            guard count >= 0 else { return nil }
            guard count > 0 else { return String(decoding: bytes, as: UTF8.self) }
            bytes += part[..<count]
        }
        return nil
    }
}
