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

    /// Connects to a process, which goes on with the events of the one before.
    private func connect(
        _ cursor: inout EventCursor,
        _ position: EngineAnswer.Position,
        _ epoch: String,
        continues: Bool = true
    ) -> [EventCursor.Outcome] {
        cursor.connected(to: position, epoch: epoch, continues: continues, time: 100)
    }

    @Test("A fresh start begins with the next event.")
    func fresh() {
        var cursor = EventCursor(nil)
        #expect(connect(&cursor, position(7, "70-0"), "e").isEmpty)
        #expect(cursor.isLive)
        #expect(cursor.nextID == "70-0")
        #expect(cursor.place == FleetPlace(id: "70-0", count: 7, epoch: "e"))
        #expect(cursor.received(event(8, "80-0")) == [.event(event(8, "80-0"))])
        #expect(cursor.place == FleetPlace(id: "80-0", count: 8, epoch: "e"))
    }

    @Test("If nothing has happened meanwhile, nothing is read.")
    func same() {
        var cursor = EventCursor(FleetPlace(id: "70-0", count: 7, epoch: "e"))
        #expect(connect(&cursor, position(7, "70-0"), "e").isEmpty)
    }

    @Test("What has happened meanwhile is read first.")
    func missed() {
        var cursor = EventCursor(FleetPlace(id: "50-0", count: 5, epoch: "e"))
        #expect(connect(&cursor, position(7, "70-0"), "e").isEmpty)
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
        _ = connect(&cursor, position(9, "90-0"), "e")
        #expect(cursor.received(event(8, "80-0")) == [.lost(upTo: 100), .event(event(8, "80-0"))])
        #expect(cursor.received(event(9, "90-0")) == [.event(event(9, "90-0")), .caughtUp])
    }

    @Test("If all missed events are gone, they were lost as well.")
    func allTrimmed() {
        var cursor = EventCursor(FleetPlace(id: "50-0", count: 5, epoch: "e"))
        _ = connect(&cursor, position(9, "90-0"), "e")
        #expect(cursor.exhausted() == [.lost(upTo: 100), .caughtUp])
        #expect(cursor.place == FleetPlace(id: "90-0", count: 9, epoch: "e"))
    }

    @Test("If somebody has emptied the engine meanwhile, what was missed before is lost.")
    func emptied() {
        var cursor = EventCursor(FleetPlace(id: "50-0", count: 5, epoch: "e"))
        #expect(connect(&cursor, position(2, "90-0"), "e").isEmpty)
        #expect(cursor.received(event(1, "80-0")) == [.event(event(1, "80-0"))])
        let end: [EventCursor.Outcome] = [.event(event(2, "90-0")), .lost(upTo: 100), .caughtUp]
        #expect(cursor.received(event(2, "90-0")) == end)
        #expect(cursor.received(event(3, "95-0")) == [.event(event(3, "95-0"))])
        cursor = EventCursor(FleetPlace(id: "50-0", count: 5, epoch: "e"))
        #expect(connect(&cursor, position(0, "0-0"), "e").isEmpty)
        #expect(cursor.exhausted() == [.lost(upTo: 100), .caughtUp])
    }

    @Test("If somebody empties the engine while events arrive, the next one's number shows it.")
    func emptiedMeanwhile() {
        var cursor = EventCursor(nil)
        _ = connect(&cursor, position(7, "70-0"), "e")
        #expect(cursor.received(event(1, "80-0")) == [.emptied, .event(event(1, "80-0"))])
        #expect(cursor.received(event(2, "90-0")) == [.event(event(2, "90-0"))])
        #expect(cursor.received(event(1, "95-0")) == [.emptied, .event(event(1, "95-0"))])
    }

    @Test("If it has got more events since than it had, the first one's number shows it.")
    func emptiedAndFilled() {
        var cursor = EventCursor(FleetPlace(id: "50-0", count: 5, epoch: "e"))
        #expect(connect(&cursor, position(6, "90-0"), "e").isEmpty)
        #expect(cursor.received(event(4, "70-0")) == [.lost(upTo: 100), .event(event(4, "70-0"))])
        #expect(cursor.received(event(5, "80-0")) == [.event(event(5, "80-0"))])
    }

    @Test("A gap while events arrive is one, too.")
    func liveGap() {
        var cursor = EventCursor(nil)
        _ = connect(&cursor, position(7, "70-0"), "e")
        #expect(
            cursor.received(event(9, "190-0", fence: 200)) == [.lost(upTo: 200), .event(event(9, "190-0", fence: 200))]
        )
    }

    @Test("After a failover all events are read, as the new process may not know all of the old one's.")
    func failover() {
        var cursor = EventCursor(FleetPlace(id: "50-0", count: 5, epoch: "e"))
        #expect(connect(&cursor, position(4, "45-0"), "f").isEmpty)
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
        _ = connect(&cursor, position(9, "90-0"), "f")
        #expect(cursor.received(event(8, "80-0")).first == .lost(upTo: 100))
    }

    @Test("An engine that was restarted empty has nothing to read.")
    func empty() {
        var cursor = EventCursor(FleetPlace(id: "50-0", count: 5, epoch: "e"))
        #expect(connect(&cursor, position(0, "0-0"), "f").isEmpty)
        #expect(cursor.place == FleetPlace(id: "0-0", count: 0, epoch: "f"))
        #expect(cursor.received(event(1, "110-0")) == [.event(event(1, "110-0"))])
    }

    @Test("A count that has gone back in the same process is no reason to trust it.")
    func lostCount() {
        var cursor = EventCursor(FleetPlace(id: "50-0", count: 5, epoch: "e"))
        #expect(connect(&cursor, position(2, "70-0"), "e").isEmpty)
        #expect(cursor.nextID == "0-0")
    }

    @Test("Another engine's numbers tell nothing of the old one's: it must have all of its events.")
    func otherEngine() {
        for (first, isLost) in [(1, false), (3, true)] {
            var cursor = EventCursor(FleetPlace(id: "50-0", count: 5, epoch: "e"))
            #expect(connect(&cursor, position(4, "45-0"), "f", continues: false).isEmpty)
            #expect(cursor.nextID == "0-0")
            let event = event(Int64(first), "30-0")
            #expect(cursor.received(event) == (isLost ? [.lost(upTo: 100)] : []) + [.event(event)])
        }
        var cursor = EventCursor(FleetPlace(id: "50-0", count: 5, epoch: "e"))
        #expect(connect(&cursor, position(4, "0-0"), "f", continues: false).isEmpty)
        #expect(cursor.exhausted() == [.lost(upTo: 100), .caughtUp])
    }

    @Test("A stream that couldn't be read is passed over, and its events are lost.")
    func unreadable() {
        var cursor = EventCursor(FleetPlace(id: "50-0", count: 5, epoch: "e"))
        cursor.failed()
        #expect(connect(&cursor, position(7, "70-0"), "e") == [.lost(upTo: 100)])
        #expect(cursor.isLive)
        #expect(cursor.nextID == "70-0")
        cursor.disconnected()
        #expect(connect(&cursor, position(7, "70-0"), "e").isEmpty, "once")
    }

    @Test("A stream that was removed and has other events by now is read from its beginning.")
    func replaced() {
        var cursor = EventCursor(FleetPlace(id: "50-0", count: 5, epoch: "e"))
        #expect(connect(&cursor, position(6, "40-0"), "e").isEmpty)
        #expect(cursor.nextID == "0-0")
        #expect(cursor.received(event(6, "40-0")) == [.event(event(6, "40-0")), .lost(upTo: 100), .caughtUp])
    }

    @Test("Events that are missing at the end of the stream are lost.")
    func missingLast() {
        var cursor = EventCursor(FleetPlace(id: "50-0", count: 5, epoch: "e"))
        _ = connect(&cursor, position(7, "60-0"), "e")
        #expect(cursor.received(event(6, "60-0")) == [.event(event(6, "60-0")), .lost(upTo: 100), .caughtUp])
    }

    @Test("The engine's count shows if there are events that a read doesn't find, and a number that isn't counted.")
    func counts() {
        var cursor = EventCursor(nil)
        #expect(cursor.checkpoint == nil)
        _ = connect(&cursor, position(7, "70-0"), "e")
        #expect(cursor.agrees(with: 7, before: cursor.checkpoint))
        #expect(!cursor.agrees(with: 8, before: cursor.checkpoint))
        #expect(!cursor.agrees(with: 6, before: cursor.checkpoint))
        let before = cursor.checkpoint
        _ = cursor.received(event(8, "80-0"))
        #expect(cursor.agrees(with: 7, before: before), "it may have come after the count")
        #expect(cursor.agrees(with: 8, before: before))
        #expect(!cursor.agrees(with: 9, before: before))
    }

    @Test("Numbers of any size are no trouble.")
    func largest() {
        var cursor = EventCursor(FleetPlace(id: "50-0", count: .max, epoch: "e"))
        _ = connect(&cursor, position(0, "0-0"), "e")
        _ = cursor.exhausted()
        let id = "18446744073709551615-18446744073709551615"
        #expect(EventID(id)?.isPlausible == false)
        #expect(cursor.received(event(.max, id)).first == .lost(upTo: .max))
    }

    @Test("An event that was read already is passed over.")
    func repeated() {
        var cursor = EventCursor(nil)
        _ = connect(&cursor, position(7, "70-0"), "e")
        #expect(cursor.received(event(7, "70-0")).isEmpty)
    }

    @Test("Entries that are no events are passed over, and don't hold up the end.")
    func foreign() throws {
        var cursor = EventCursor(FleetPlace(id: "50-0", count: 5, epoch: "e"))
        _ = connect(&cursor, position(6, "70-0"), "e")
        _ = cursor.received(event(6, "60-0"))
        let id = try #require(EventID("70-0"))
        #expect(cursor.passed(id) == [.caughtUp])
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
