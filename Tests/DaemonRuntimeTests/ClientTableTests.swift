import DaemonRuntime
import Testing

@Suite("The table of the tenants' clients")
struct ClientTableTests {
    @Test("A client that is replaced while it is unused is removed at once.")
    func unused() {
        var table = ClientTable<String>()
        let (old, new) = (table.add("old"), table.add("new"))
        #expect(table.replaceAll(except: [new]) == ["old"])
        #expect(table[old] == nil)
        #expect(table.begin(old) == nil)
        #expect(table.begin(new) == "new")
    }

    @Test(
        "A client that is replaced during calls is removed after the last one, and calls can begin until then."
    )
    func used() {
        var table = ClientTable<String>()
        let old = table.add("old")
        #expect(table.begin(old) == "old")
        #expect(table.replaceAll(except: []) == [])
        #expect(table.begin(old) == "old")
        #expect(table.end(old) == [])
        #expect(table.end(old) == ["old"])
        #expect(table.end(old) == [])
    }

    @Test("A client that was replaced can't be kept later.")
    func replacedForGood() {
        var table = ClientTable<String>()
        let old = table.add("old")
        _ = table.begin(old)
        #expect(table.replaceAll(except: []) == [])
        #expect(table.replaceAll(except: [old]) == [])
        #expect(table.end(old) == ["old"])
    }

    @Test("A client that is not replaced stays after its call.")
    func kept() {
        var table = ClientTable<String>()
        let client = table.add("client")
        _ = table.begin(client)
        #expect(table.end(client) == [])
        #expect(table[client] == "client")
    }

    @Test("Many calls leave memory behind once, when none was made since the last look.")
    func burst() {
        var table = ClientTable<String>()
        let client = table.add("client")
        func call() { _ = (table.begin(client), table.end(client)) }
        func hasEnded() -> Bool { table.hasBurstEnded() }
        for _ in 0..<999 { call() }
        #expect(!hasEnded())
        #expect(!hasEnded(), "there were not many")
        _ = table.begin(client)
        #expect(table.end(client) == [])
        #expect(!hasEnded(), "a call has ended since the last look")
        _ = table.begin(client)
        #expect(!hasEnded(), "a call is under way")
        _ = table.end(client)
        #expect(!hasEnded())
        #expect(hasEnded())
        call()
        #expect(!hasEnded())
        #expect(!hasEnded(), "there were not many since it last returned true")
    }

    @Test("At the end all clients are removed, also those with calls under way.")
    func end() {
        var table = ClientTable<String>()
        let (used, unused) = (table.add("used"), table.add("unused"))
        _ = table.begin(used)
        #expect(Set(table.removeAll()) == ["used", "unused"])
        #expect(table.end(used) == [])
        #expect(table[unused] == nil)
    }
}
