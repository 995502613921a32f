extension Reactor: SerialExecutor {
    /// Runs an actor's job in one of the next turns.
    package func enqueue(_ job: consuming ExecutorJob) { add(.job(UnownedJob(job))) }

    /// The reactor as the executor of an actor, which must keep it.
    package func asUnownedSerialExecutor() -> UnownedSerialExecutor { unsafe UnownedSerialExecutor(ordinary: self) }

    /// True if the caller is isolated to the actors that run here.
    ///
    /// A source or a timer is called outside any job, so the runtime can't know this by itself.
    package func isIsolatingCurrentContext() -> Bool? { isOwnThread }

    /// Traps on another thread.
    package func checkIsolated() {
        precondition(isOwnThread, "the reactor's actors are used on its own thread only")
    }
}
