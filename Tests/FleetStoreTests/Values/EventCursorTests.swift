import FleetProtocol
import Testing

@testable import FleetStore

@Suite("The place in a tenant's events")
struct EventCursorTests {
    private func event(_ number: Int64, _ id: String, fence: Int64 = 0) -> EngineEvent {
        let text = EngineEventText(machine: "m", kind: "d", sealed: [])
        return EngineEvent(id: id, number: number, fence: fence, text: text)
    }

    private func position(_ count: Int64, _ id: String) -> EngineAnswer.Position { .init(count: count, id: id) }

    @Test("A fresh start begins with the next event.")
    func fresh() {
        var cursor = EventCursor(nil)
        #expect(cursor.connected(to: position(7, "70-0"), epoch: "e", time: 100) == true)
        #expect(cursor.isLive)
        #expect(cursor.nextID == "70-0")
        #expect(cursor.place == FleetPlace(id: "70-0", count: 7, epoch: "e"))
        #expect(cursor.received(event(8, "80-0")) == [.event(event(8, "80-0"))])
        #expect(cursor.place == FleetPlace(id: "80-0", count: 8, epoch: "e"))
    }

    @Test("If nothing has happened meanwhile, nothing is read.")
    func same() {
        var cursor = EventCursor(FleetPlace(id: "70-0", count: 7, epoch: "e"))
        #expect(cursor.connected(to: position(7, "70-0"), epoch: "e", time: 100) == true)
    }

    @Test("What has happened meanwhile is read first.")
    func missed() {
        var cursor = EventCursor(FleetPlace(id: "50-0", count: 5, epoch: "e"))
        #expect(cursor.connected(to: position(7, "70-0"), epoch: "e", time: 100) == false)
        #expect(cursor.nextID == "50-0")
        #expect(cursor.behind == 2)
        #expect(cursor.received(event(6, "60-0")) == [.event(event(6, "60-0"))])
        #expect(!cursor.isLive)
        #expect(cursor.received(event(7, "70-0")) == [.event(event(7, "70-0")), .caughtUp])
        #expect(cursor.isLive)
        #expect(cursor.behind == 0)
    }

    @Test("If the next event is gone, events were lost up to the engine's time.")
    func trimmed() {
        var cursor = EventCursor(FleetPlace(id: "50-0", count: 5, epoch: "e"))
        _ = cursor.connected(to: position(9, "90-0"), epoch: "e", time: 100)
        #expect(cursor.received(event(8, "80-0")) == [.lost(upTo: 100), .event(event(8, "80-0"))])
        #expect(cursor.received(event(9, "90-0")) == [.event(event(9, "90-0")), .caughtUp])
    }

    @Test("If all missed events are gone, they were lost as well.")
    func allTrimmed() {
        var cursor = EventCursor(FleetPlace(id: "50-0", count: 5, epoch: "e"))
        _ = cursor.connected(to: position(9, "90-0"), epoch: "e", time: 100)
        #expect(cursor.exhausted() == [.lost(upTo: 100), .caughtUp])
        #expect(cursor.place == FleetPlace(id: "90-0", count: 9, epoch: "e"))
    }

    @Test("If somebody has emptied the engine meanwhile, what was missed before is lost.")
    func emptied() {
        var cursor = EventCursor(FleetPlace(id: "50-0", count: 5, epoch: "e"))
        #expect(cursor.connected(to: position(2, "90-0"), epoch: "e", time: 100) == false)
        #expect(cursor.received(event(1, "80-0")) == [.event(event(1, "80-0"))])
        let end: [EventCursor.Outcome] = [.event(event(2, "90-0")), .lost(upTo: 100), .caughtUp]
        #expect(cursor.received(event(2, "90-0")) == end)
        #expect(cursor.received(event(3, "95-0")) == [.event(event(3, "95-0"))])
        cursor = EventCursor(FleetPlace(id: "50-0", count: 5, epoch: "e"))
        #expect(cursor.connected(to: position(0, "0-0"), epoch: "e", time: 100) == false)
        #expect(cursor.exhausted() == [.lost(upTo: 100), .caughtUp])
    }

    @Test("If somebody empties the engine while events arrive, the next one's number shows it.")
    func emptiedMeanwhile() {
        var cursor = EventCursor(nil)
        _ = cursor.connected(to: position(7, "70-0"), epoch: "e", time: 100)
        #expect(cursor.received(event(1, "80-0")) == [.emptied, .event(event(1, "80-0"))])
        #expect(cursor.received(event(2, "90-0")) == [.event(event(2, "90-0"))])
        #expect(cursor.received(event(1, "95-0")) == [.emptied, .event(event(1, "95-0"))])
    }

    @Test("If it has got more events since than it had, the first one's number shows it.")
    func emptiedAndFilled() {
        var cursor = EventCursor(FleetPlace(id: "50-0", count: 5, epoch: "e"))
        #expect(cursor.connected(to: position(6, "90-0"), epoch: "e", time: 100) == false)
        #expect(cursor.received(event(4, "70-0")) == [.lost(upTo: 100), .event(event(4, "70-0"))])
        #expect(cursor.received(event(5, "80-0")) == [.event(event(5, "80-0"))])
    }

    @Test("A gap while events arrive is one, too.")
    func liveGap() {
        var cursor = EventCursor(nil)
        _ = cursor.connected(to: position(7, "70-0"), epoch: "e", time: 100)
        #expect(
            cursor.received(event(9, "190-0", fence: 200)) == [.lost(upTo: 200), .event(event(9, "190-0", fence: 200))]
        )
    }

    @Test("After a failover all events are read, as the new process may not know all of the old one's.")
    func failover() {
        var cursor = EventCursor(FleetPlace(id: "50-0", count: 5, epoch: "e"))
        #expect(cursor.connected(to: position(4, "45-0"), epoch: "f", time: 100) == false)
        #expect(cursor.nextID == "0-0")
        #expect(
            cursor.place == FleetPlace(id: "50-0", count: 5, epoch: "e"),
            "the old place stays until something is read"
        )
        #expect(cursor.received(event(3, "30-0")) == [.event(event(3, "30-0"))])
        #expect(cursor.received(event(4, "45-0")) == [.event(event(4, "45-0")), .caughtUp])
        #expect(cursor.place == FleetPlace(id: "45-0", count: 4, epoch: "f"))
    }

    @Test("A gap above the known events is found after a failover as well.")
    func failoverGap() {
        var cursor = EventCursor(FleetPlace(id: "50-0", count: 5, epoch: "e"))
        _ = cursor.connected(to: position(9, "90-0"), epoch: "f", time: 100)
        #expect(cursor.received(event(8, "80-0")).first == .lost(upTo: 100))
    }

    @Test("An engine that was restarted empty has nothing to read.")
    func empty() {
        var cursor = EventCursor(FleetPlace(id: "50-0", count: 5, epoch: "e"))
        #expect(cursor.connected(to: position(0, "0-0"), epoch: "f", time: 100) == true)
        #expect(cursor.place == FleetPlace(id: "0-0", count: 0, epoch: "f"))
        #expect(cursor.received(event(1, "110-0")) == [.event(event(1, "110-0"))])
    }

    @Test("A count that has gone back in the same process is no reason to trust it.")
    func lostCount() {
        var cursor = EventCursor(FleetPlace(id: "50-0", count: 5, epoch: "e"))
        #expect(cursor.connected(to: position(2, "70-0"), epoch: "e", time: 100) == false)
        #expect(cursor.nextID == "0-0")
    }

    @Test("An event that was read already is passed over.")
    func repeated() {
        var cursor = EventCursor(nil)
        _ = cursor.connected(to: position(7, "70-0"), epoch: "e", time: 100)
        #expect(cursor.received(event(7, "70-0")).isEmpty)
    }

    @Test("Entries that are no events are passed over, and don't hold up the end.")
    func foreign() {
        var cursor = EventCursor(FleetPlace(id: "50-0", count: 5, epoch: "e"))
        _ = cursor.connected(to: position(6, "70-0"), epoch: "e", time: 100)
        _ = cursor.received(event(6, "60-0"))
        #expect(cursor.passed("70-0") == [.caughtUp])
        #expect(cursor.nextID == "70-0")
    }

    @Test("Ids are compared by their numbers.")
    func ids() throws {
        let small = try #require(EventID("9-10"))
        let large = try #require(EventID("10-9"))
        #expect(small < large)
        #expect(small.text == "9-10")
        for text in ["", "1", "1-", "-1-1", "a-1", "1-1-1"] { #expect(EventID(text) == nil) }
    }
}
