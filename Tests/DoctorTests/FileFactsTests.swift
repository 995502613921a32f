import Doctor
import Testing

@Suite("The judgement of the configuration's files")
struct FileFactsTests {
    private static let path = "/etc/tokencached/it's.yaml"

    private func finding(_ state: FileFacts.State) -> Finding {
        FileFacts(tenant: "main", path: Self.path, user: "tokencached", state: state).finding
    }

    @Test("A file that the daemon can read and nobody else can change is well.")
    func usable() {
        #expect(finding(.usable).status == .ok && finding(.usable).subject == "main")
        #expect(finding(.usable).found == "tokencached can read \(Self.path), and no other user can change it")
    }

    @Test("A file that others can change, or a directory in which they can replace it, is a warning with the remedy.")
    func changeable() {
        let file = finding(.changeableByOthers(Self.path))
        #expect(file.status == .warning && file.found == "other users can change \(Self.path)")
        #expect(
            file.advice == #"chown root: '/etc/tokencached/it'\''s.yaml'; chmod go-w '/etc/tokencached/it'\''s.yaml'"#
        )
        let directory = finding(.changeableByOthers("/etc"))
        #expect(directory.found == "other users can replace \(Self.path) in /etc")
        #expect(directory.advice == "chown root: /etc; chmod go-w /etc")
    }

    @Test("A file that the daemon can't read or reach fails. Without a prefetch file the daemon starts.")
    func closed() {
        let file = finding(.closedToDaemon(Self.path))
        #expect(file.status == .failed && file.found == "tokencached can't read \(Self.path)")
        #expect(file.advice?.hasPrefix("chmod o+rX ") == true)
        let optional = FileFacts(path: "/p", user: "tokencached", state: .closedToDaemon("/p"), isOptional: true)
        #expect(optional.finding.status == .warning)
        let directory = finding(.closedToDaemon("/etc/tokencached"))
        #expect(directory.found == "tokencached can't reach \(Self.path): /etc/tokencached is closed")
        #expect(directory.advice == "chmod o+x /etc/tokencached")
    }
}
