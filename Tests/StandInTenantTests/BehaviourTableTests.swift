import StandInTenant
import Testing

@Suite("The table of behaviours")
struct BehaviourTableTests {
    @Test(
        "A subject that names no behaviour is an ordinary one.",
        arguments: [
            "alice", "auth0|5f7c", #"DOMAIN\user"#, "a@b.example", "ünï:x", "urn:user:7", ":x", "okay:x", "expire-3:x",
            "ok", "never", "2*x:y", "after-3:x", "", ":", "/:x",
        ]
    )
    func ordinary(_ subject: String) throws {
        #expect(try BehaviourTable.script(ofSubject: subject) == nil)
    }

    @Test(
        "A subject that names a behaviour but not its parameters is a fault.",
        arguments: [
            "expires:x", "expires-soon:x", "expires-:x", "ok-3:x", "status:x", "status-99:x", "status-503-retri-7:x",
            "0*ok:x", "many*ok:x", "after-x+ok:x", "reset-later:x", "redirect-307:x", "redirect-200-same:x",
            "ok/nothing:x", "ok/:x", "2*flap-2:x", "flap-0:x", "token-bytes-1:x", "disagree-20:x", "drip-1-2:x",
        ]
    )
    func fault(_ subject: String) {
        #expect(throws: StandInTenant.Fault.self) { try BehaviourTable.script(ofSubject: subject) }
    }

    @Test("A script plays each step as often as it says, and the last one for ever.")
    func script() throws {
        let script = try BehaviourTable.script("2*status-503/expires-20/ok")
        #expect(
            (0..<6).map { script.play(at: $0).text } == [
                "status-503", "status-503", "expires-20", "ok", "ok", "ok",
            ]
        )
        #expect(script.length == 4)
    }

    @Test("flap-2 is two failures and then the usual reply.")
    func flap() throws {
        let script = try #require(try BehaviourTable.script(ofSubject: "flap-2-500:alice"))
        #expect((0..<4).map { script.play(at: $0).behaviour.status } == [500, 500, 200, 200])
    }

    @Test("A step may have a latency of its own, and a count before it.")
    func latency() throws {
        let script = try BehaviourTable.script("3*after-600+expires-10/ok")
        #expect(script.play(at: 2).latency == .milliseconds(600))
        #expect(script.play(at: 2).behaviour == Behaviour().with(\.form.lifetime, 10))
        #expect(script.play(at: 3).latency == nil)
    }

    @Test("The longest name counts, so that parameters may look like names.")
    func longestName() throws {
        let literal = try BehaviourTable.script("expires-in--1").play(at: 0).behaviour
        #expect(literal == Behaviour().with(\.form.expiresIn, .literal("-1")).with(\.form.expiresAt, .absent))
        #expect(try BehaviourTable.script("expires--1").play(at: 0).behaviour == Behaviour().with(\.form.lifetime, -1))
        #expect(try BehaviourTable.script("throttled-day").play(at: 0).behaviour.retryAfter == .text("86400"))
        #expect(try BehaviourTable.script("throttled-9").play(at: 0).behaviour.retryAfter == .text("9"))
    }

    @Test("No two rows have the same name, and the help names every one.")
    func help() {
        let names = BehaviourTable.groups.flatMap(\.rows).map(\.name)
        #expect(Set(names).count == names.count)
        for name in names { #expect(BehaviourTable.help.contains("  \(name)")) }
    }
}
