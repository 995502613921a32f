import Glibc
import Testing

@testable import DaemonRuntime
@testable import TokenStorage

@Suite("The opening of the tokens' memory")
struct TokenMemoryTests {
    @Test("If no part of a secret file can be mapped, the tokens are in an ordinary file, which the next daemon gets.")
    func refusedSecretFile() throws {
        let memory = try TokenMemory.open(inheriting: [], isWanted: true) { mayBeSecret in
            mayBeSecret
                ? unsafe TokenFile.make(mayBeSecret: false) { _, _, _, _ in MapOutcome.refused(.lockedMemory) }
                : TokenFile.make(mayBeSecret: false)
        } onShortage: { _ in
        }
        let file = try #require(memory.files.memory)
        _ = try TokenStorage(restoring: file)
        #expect(memory.lostTokens == nil)
    }

    // The limit is one of the whole process, so the test has a process of its own.
    @Test("Tokens that can't be mapped under a lower limit are dropped, and the log says so.")
    func lost() async {
        await #expect(processExitsWith: .success) {
            let file = try #require(TokenFile.make(mayBeSecret: false))
            file.setKept(true)
            // The last daemon has a gibibyte of tokens.
            try Self.useRegions(4_096, of: file)
            // Half of it is less than these, and more than this process uses.
            let size = rlim_t(2_040 << 20)
            var limit = rlimit(rlim_cur: size, rlim_max: size)
            try #require(unsafe setrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit) == 0)
            let stored = file.stored.map { (name: $0.name, descriptor: dup($0.descriptor)) }
            let memory = try TokenMemory.open(inheriting: stored, isWanted: true, onShortage: { _ in })
            #expect(memory.lostTokens == .addresses)
            let log = RecordedLog()
            memory.writeLimits(to: log.logger)
            #expect(log.count("the last daemon's tokens can't be mapped and are dropped: raise LimitAS=") == 1)
        }
    }

    private static func useRegions(_ count: Int, of file: TokenFile) throws {
        let storage = try #require(TokenStorage(in: file))
        unsafe FileHead(storage.slab.range.start).regions = count
    }
}
