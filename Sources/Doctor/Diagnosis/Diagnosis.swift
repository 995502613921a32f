/// The findings of an examination.
package struct Diagnosis: Sendable, Equatable {
    /// The findings in the order of the steps.
    package private(set) var findings: [Finding] = []

    /// Creates a diagnosis.
    package init(_ findings: [Finding] = []) { self.findings = findings }

    mutating func add(_ finding: Finding) { findings.append(finding) }

    /// The number of findings of a status.
    package func count(_ status: Finding.Status) -> Int { findings.count { $0.status == status } }

    /// The first failure, which is the likely cause of the others.
    package var firstFailure: Finding? { findings.first { $0.status == .failed } }
}

extension Diagnosis: Encodable {
    private enum CodingKeys: String, CodingKey { case status, findings }

    package func encode(to encoder: any Encoder) throws {
        var members = encoder.container(keyedBy: CodingKeys.self)
        let statuses = [Finding.Status.failed, .warning, .ok]
        try members.encode(statuses.first { count($0) > 0 }?.rawValue ?? "ok", forKey: .status)
        try members.encode(findings, forKey: .findings)
    }
}

extension Finding: Encodable {
    private enum CodingKeys: String, CodingKey { case check, subject, status, found, advice }

    package func encode(to encoder: any Encoder) throws {
        var members = encoder.container(keyedBy: CodingKeys.self)
        try members.encode(check.rawValue, forKey: .check)
        try members.encodeIfPresent(subject, forKey: .subject)
        try members.encode(status.rawValue, forKey: .status)
        try members.encode(found, forKey: .found)
        try members.encodeIfPresent(advice, forKey: .advice)
    }
}
