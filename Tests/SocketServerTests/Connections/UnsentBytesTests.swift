import SocketServer
import Testing

@Suite("Unsent bytes")
struct UnsentBytesTests {
    @Test("A uid alone may use the whole limit, and with others its share.")
    func shares() {
        var unsent = UnsentBytes(limit: 100)
        unsent.add(99, of: 1)
        #expect(!unsent.isExhausted(for: 1, share: 0.5))
        unsent.remove(39, of: 1)
        unsent.add(1, of: 2)
        #expect(unsent.isExhausted(for: 1, share: 0.5))
        #expect(!unsent.isExhausted(for: 2, share: 0.5))
        #expect(!unsent.isExhausted(for: 3, share: 0.5), "a uid without unsent bytes may have some")
        unsent.remove(1, of: 2)
        #expect(!unsent.isExhausted(for: 1, share: 0.5))
        #expect(unsent.total == 60)
    }

    @Test("At the limit no uid may have more.")
    func limit() {
        var unsent = UnsentBytes(limit: 100)
        unsent.add(100, of: 1)
        #expect(unsent.isExhausted(for: 1, share: 1))
        #expect(unsent.isExhausted(for: 2, share: 1))
    }

    @Test("Memory is released once after much was freed and little is left.")
    func release() {
        let mebibyte = 1_024 * 1_024
        var unsent = UnsentBytes()
        unsent.add(20 * mebibyte, of: 1)
        unsent.remove(17 * mebibyte, of: 1)
        let early = unsent.hasReleasedMuch()
        #expect(!early, "much is still unsent")
        unsent.remove(2 * mebibyte, of: 1)
        let (first, second) = (unsent.hasReleasedMuch(), unsent.hasReleasedMuch())
        #expect(first && !second)
    }
}
