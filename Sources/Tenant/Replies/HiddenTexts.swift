import Secrets

/// The parts of a request that no error may repeat.
struct HiddenTexts {
    /// The secret that proves who makes the request, or nil for none.
    var secret: SecretBytes?
    /// A user's name and e-mail address.
    ///
    /// They are found in any case of letters, as a tenant may have changed it.
    var personal: [String] = []

    /// Returns true if a text contains one of them.
    func isIn(_ text: String) -> Bool { containsSecret(text) || containsPersonal(text) }

    private func containsSecret(_ text: String) -> Bool {
        guard let secret else { return false }
        return unsafe secret.withUnsafeBytes { secret in
            unsafe !secret.isEmpty && Array(text.utf8).firstRange(of: secret) != nil
        }
    }

    private func containsPersonal(_ text: String) -> Bool {
        guard !personal.isEmpty else { return false }
        let text = Array(text.lowercased().utf8)
        return personal.contains { !$0.isEmpty && text.firstRange(of: Array($0.lowercased().utf8)) != nil }
    }
}
