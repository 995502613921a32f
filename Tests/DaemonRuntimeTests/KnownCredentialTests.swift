import DaemonConfiguration
import DaemonRuntime
import Secrets
import Systemd
import Tenant
import TestSupport
import Testing

@Suite("The looks at a client's secret")
struct KnownCredentialTests {
    private static let credential = KnownCredential(.secret(ClientSecret("x")), from: .secret(.file("/s")))
    private let start = ContinuousClock.now
    private let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    private func stamp(_ text: String) throws -> SecretFile.Stamp {
        try #require(SecretFile.stamp(directory.write(text, to: "secret")))
    }

    @Test("A file that hasn't changed is read again a second after the last read, and no sooner.")
    func unchanged() throws {
        var known = Self.credential
        let stamp = try stamp("a")
        let reads = [0, 999, 1_000, 1_999, 2_000].map { known.beginLook(stamp, now: start + .milliseconds($0)) }
        #expect(reads == [true, false, true, false, true])
    }

    @Test("A file that has changed is read at once, and so is one that is gone.")
    func changed() throws {
        var known = Self.credential
        let stamps = [try stamp("a"), try stamp("longer"), nil, nil]
        let reads = stamps.map { known.beginLook($0, now: start) }
        #expect(reads == [true, true, true, false])
    }

    @Test("After a reload a file that can't be seen is not read again sooner, and one that can be seen is.")
    func inherited() throws {
        var (old, new) = (Self.credential, Self.credential)
        _ = old.beginLook(nil, now: start)
        new.inheritLook(from: old)
        let reads = [nil, try stamp("a")].map { new.beginLook($0, now: start) }
        #expect(reads == [false, true])
    }
}
