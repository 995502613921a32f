/// A reply's script being played: says what comes next.
package struct ScriptCursor: Sendable {
    /// What the connection does next.
    package enum Action: Sendable, Equatable {
        /// Writes bytes, and asks again when they are written.
        case write([UInt8])
        /// Waits, and asks again.
        case wait(Duration)
        /// Does nothing any more.
        case hang
        /// Ends the connection by RST.
        case reset
        /// Ends the connection by FIN.
        case close
        /// Ends all connections by RST and takes no new one for a while.
        case refuse(Duration)
        /// The reply is complete.
        case finish
    }

    private let steps: [ReplyScript.Step]
    private var step = 0
    /// How much of a step of many parts is done.
    private var done = 0

    /// Begins a script.
    package init(_ script: ReplyScript) {
        steps = script.steps
    }

    /// The next thing to do.
    package mutating func next() -> Action {
        guard step < steps.count else { return .finish }
        switch steps[step] {
        case .drip(let bytes, let pause): return drip(bytes, pause)
        case .flood(let piece, let times): return flood(piece, times)
        case .send(let bytes): return go(.write(bytes))
        case .wait(let duration): return go(.wait(duration))
        case .reset: return go(.reset)
        case .close: return go(.close)
        case .hang: return go(.hang)
        case .refuse(let duration): return go(.refuse(duration))
        }
    }

    private mutating func go(_ action: Action) -> Action {
        step += 1
        done = 0
        return action
    }

    /// Every byte is two actions: the pause, then the byte.
    private mutating func drip(_ bytes: [UInt8], _ pause: Duration) -> Action {
        let index = done / 2
        guard index < bytes.count else {
            _ = go(.finish)
            return next()
        }
        done += 1
        return done.isMultiple(of: 2) ? .write([bytes[index]]) : .wait(pause)
    }

    private mutating func flood(_ piece: [UInt8], _ times: Int) -> Action {
        guard done < times else {
            _ = go(.finish)
            return next()
        }
        done += 1
        return .write(piece)
    }
}
