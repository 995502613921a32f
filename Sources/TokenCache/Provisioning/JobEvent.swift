import TokenProtocol

/// An event of a job, which is handled when the event that has caused it is complete.
enum JobEvent {
    /// The job's next call needs a client's token.
    case authorize(JobID)
    /// The request for the client's token was answered.
    case answered(JobID, Reply)
}
