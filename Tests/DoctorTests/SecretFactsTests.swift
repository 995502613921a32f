import Doctor
import SystemPackage
import Systemd
import Testing

@Suite("The judgement of secrets")
struct SecretFactsTests {
    private static let path = "/etc/tokencached/secret"

    private func finding(_ state: SecretFacts.State, credential: String? = nil) -> Finding {
        SecretFacts(
            tenant: "main",
            key: "client_secret",
            path: Self.path,
            credential: credential,
            user: "tokencached",
            state: state
        ).finding
    }

    private func fault(_ problem: SecretFileError.Problem) -> Finding {
        finding(.faulty(SecretFileError(path: Self.path, problem: problem)))
    }

    @Test("A secret that is private and can be read is well.")
    func usable() {
        #expect(finding(.usable).status == .ok)
        #expect(
            finding(.usable, credential: "main").found
                == "client_secret: /etc/tokencached/secret (credential main) is private, and tokencached can read it"
        )
    }

    @Test(
        "Each fault of a file has the command that mends it.",
        arguments: [
            (.unreadable(.noSuchFileOrDirectory), "install -m 600 -o tokencached /dev/stdin \(path)"),
            (.unreadable(.ioError), "file system"), (.notAFile, "by a regular file"),
            (.readableByOthers(mode: 0o644, owner: 0, group: 0), "chown tokencached: \(path); chmod 600 \(path)"),
            (.listedForUser(7), "setfacl -b \(path)"), (.listedForGroup(7), "setfacl -b \(path)"),
            (.replaceableByOthers("/etc/x"), "chown root: /etc/x; chmod go-w /etc/x"),
            (.empty, "write the client's secret"), (.tooLarge, "alone on one line"), (.notText, "alone on one line"),
            (.noMemory, "memory"),
        ] as [(SecretFileError.Problem, String)]
    )
    func faults(problem: SecretFileError.Problem, advice: String) {
        let finding = fault(problem)
        #expect(finding.status == .failed)
        #expect(finding.advice?.contains(advice) == true, "\(finding)")
    }

    @Test("A file that the daemon can't reach names the directory that is closed.")
    func closed() {
        let directory = finding(.closedToDaemon("/etc/tokencached"))
        #expect(directory.status == .failed)
        #expect(directory.advice == "chmod o+x /etc/tokencached")
        let file = finding(.closedToDaemon(Self.path))
        #expect(file.found == "client_secret: tokencached can't read \(Self.path)")
        #expect(file.advice == "chown tokencached: \(Self.path); chmod 600 \(Self.path)")
    }

    @Test("What can't be looked at is skipped, and a credential that the unit doesn't load fails.")
    func others() {
        #expect(finding(.hidden).status == .skipped)
        #expect(finding(.hidden).advice == "run the doctor as root")
        #expect(finding(.sourceUnknown, credential: "main").status == .skipped)
        let missing = finding(.notLoaded(unit: "tokencached.service"), credential: "main")
        #expect(missing.status == .failed)
        #expect(missing.advice?.hasPrefix("add LoadCredential=main:PATH to a drop-in") == true)
        #expect(finding(.unusableKey("is no key")).advice?.contains("PEM") == true)
    }
}
