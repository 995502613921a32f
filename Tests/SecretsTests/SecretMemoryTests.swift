import Foundation
import Glibc
import Secrets
import Synchronization
import Testing

@Suite("Memory for secrets")
struct SecretMemoryTests {
    private func secret(_ count: Int, _ byte: UInt8, in memory: SecretMemory) -> SecretBytes {
        let secret = unsafe SecretBytes(count: count, in: memory) { bytes in
            for index in bytes.indices { unsafe bytes[index] = byte }
        }
        // Without memory it is empty, which no expectation accepts.
        return unsafe secret ?? SecretBytes(count: 0) { _ in }
    }

    private func holds(_ secret: SecretBytes, _ byte: UInt8) -> Bool {
        unsafe secret.withUnsafeBytes { unsafe !$0.isEmpty && $0.allSatisfy { $0 == byte } }
    }

    @Test("Secrets of all sizes keep their bytes while others come and go, and allocated memory is zeroed.")
    func contents() throws {
        let memory = SecretMemory()
        var secrets: [Int: (byte: UInt8, secret: SecretBytes)] = [:]
        var random = SystemRandomNumberGenerator()
        for round in 0..<20_000 {
            let index = Int.random(in: 0..<400, using: &random)
            if secrets.removeValue(forKey: index) == nil {
                let count = [1, 63, 64, 65, 1_300, 8_192, 8_193, 70_000][Int.random(in: 0..<8, using: &random)]
                var isZeroed = true
                let byte = UInt8(truncatingIfNeeded: round)
                let secret = unsafe SecretBytes(count: count, in: memory) { bytes in
                    unsafe isZeroed = bytes.allSatisfy { $0 == 0 }
                    for index in bytes.indices { unsafe bytes[index] = byte }
                }
                #expect(isZeroed)
                secrets[index] = (byte, try #require(secret))
            }
        }
        for (byte, secret) in secrets.values { #expect(holds(secret, byte)) }
    }

    @Test("A region is divided into slots, and is returned to the kernel when it is empty, except for the last one.")
    func regions() {
        let memory = SecretMemory()
        var secrets = (0..<480).map { secret(1_300, UInt8(truncatingIfNeeded: $0), in: memory) }
        // 1,344 bytes each, after a head of 64 bytes: 48 in a region of 64 KiB.
        #expect(memory.size == 10 * 65_536)
        for (index, secret) in secrets.enumerated() { #expect(holds(secret, UInt8(truncatingIfNeeded: index))) }
        secrets.removeFirst(2 * 48)
        #expect(memory.size == 9 * 65_536)
        secrets.removeAll()
        #expect(memory.size == 65_536)
        let large = secret(100_000, 1, in: memory)
        #expect(memory.size == 65_536 + 102_400)
        withExtendedLifetime(large) {}
    }

    /// Returns the kernel's flags of a secret's mapping: the letters of `VmFlags` in `proc(5)`.
    private func flags(of secret: SecretBytes) throws -> [String] {
        let address = unsafe secret.withUnsafeBytes { UInt(bitPattern: $0.baseAddress) }
        var isMapping = false
        // Kernel files have no size, so they are read to their end.
        let file = try #require(FileHandle(forReadingAtPath: "/proc/self/smaps"))
        let text = String(decoding: try #require(try file.readToEnd()), as: UTF8.self)
        for line in text.split(separator: "\n") {
            let ends = line.prefix { $0 != " " }.split(separator: "-").map { UInt($0, radix: 16) }
            if ends.count == 2, let start = ends[0], let end = ends[1] { isMapping = (start..<end).contains(address) }
            if isMapping, line.hasPrefix("VmFlags:") { return line.split(separator: " ").dropFirst().map(String.init) }
        }
        return []
    }

    @Test("Secrets of all sizes are in pages that are locked and excluded from core dumps and forks.")
    func pages() throws {
        let memory = SecretMemory()
        for count in [64, 1_300, 100_000] {
            let secret = secret(count, 7, in: memory)
            let flags = try flags(of: secret)
            #expect(flags.contains("dd") && flags.contains("dc"), "\(flags)")
            // Without root the limit of locked memory may be too low, which the daemon logs.
            if geteuid() == 0 { #expect(flags.contains("lo"), "\(flags)") }
        }
    }

    @Test("Freed slots are reused before another region is mapped.")
    func reuse() {
        let memory = SecretMemory()
        let kept = (0..<40).map { _ in secret(1_300, 7, in: memory) }
        for _ in 0..<1_000 { _ = secret(1_300, 8, in: memory) }
        #expect(memory.size == 65_536)
        for secret in kept { #expect(holds(secret, 7)) }
    }

    @Test("It can be used by many threads at once.")
    func threads() async {
        let memory = SecretMemory()
        await withTaskGroup { group in
            for number in 0..<8 as Range<UInt8> {
                group.addTask {
                    for _ in 0..<200 {
                        let secrets = (0..<50).map { _ in secret(1_300, number, in: memory) }
                        for secret in secrets { #expect(holds(secret, number)) }
                    }
                }
            }
        }
        #expect(memory.size == 65_536)
    }

    @Test("A failure to lock memory is reported once.")
    func shortage() {
        let told = Mutex<[SecretMemory.Shortage]>([])
        let memory = SecretMemory { shortage in told.withLock { $0.append(shortage) } }
        // More than the default limit of any machine for a process without privileges, if it has one.
        let secrets = (0..<200).map { secret(100_000, UInt8($0), in: memory) }
        let shortages = told.withLock { $0 }
        #expect(shortages.count <= 1)
        if let shortage = shortages.first { #expect(shortage.limit.map { $0 < memory.size } ?? true) }
        for (index, secret) in secrets.enumerated() { #expect(holds(secret, UInt8(index))) }
    }

    @Test("Without memory from the kernel there is no new secret, the others stay, and later ones work again.")
    func exhausted() {
        let isExhausted = Atomic(false)
        let memory = unsafe SecretMemory(map: { length in
            isExhausted.load(ordering: .relaxed) ? nil : unsafe SecretPages.map(length)
        })
        let kept = secret(1_300, 7, in: memory)
        isExhausted.store(true, ordering: .relaxed)
        #expect(unsafe SecretBytes(count: 100_000, in: memory) { _ in } == nil)
        #expect(unsafe SecretBytes(count: 64, in: memory) { _ in } == nil)
        let others = (0..<47).map { secret(1_300, UInt8($0), in: memory) }
        for (index, secret) in others.enumerated() { #expect(holds(secret, UInt8(index))) }
        #expect(unsafe SecretBytes(count: 1_300, in: memory) { _ in } == nil)
        #expect(memory.size == 65_536)
        isExhausted.store(false, ordering: .relaxed)
        #expect(holds(secret(100_000, 9, in: memory), 9))
        #expect(holds(secret(1_300, 9, in: memory), 9))
        #expect(holds(kept, 7))
    }
}
