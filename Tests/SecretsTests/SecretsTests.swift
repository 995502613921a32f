import Secrets
import Testing

@Suite("Secrets")
struct SecretsTests {
    @Test("A token and a secret are redacted however they are printed.")
    func redaction() {
        let token = AccessToken("eyJhbGciOi")
        let secret = ClientSecret("hunter2hunter2")
        var dump = ""
        Swift.dump([token], to: &dump)
        Swift.dump([secret], to: &dump)
        let shown = [
            dump, "\(token)", "\(secret)", String(reflecting: token), String(reflecting: [secret]), "\([token])",
        ]
        for text in shown { #expect(!text.contains("eyJ") && !text.contains("hunter")) }
    }

    @Test("Tokens are compared by their bytes.")
    func equality() {
        #expect(AccessToken("abc") == AccessToken("abc"))
        #expect(AccessToken("abc") != AccessToken("abd"))
        #expect(AccessToken("abc") != AccessToken("abcd"))
        #expect(ClientSecret("") == ClientSecret(""))
    }

    @Test("A fingerprint is the SHA-256, and can be read from digits of either case.")
    func fingerprint() {
        let digits = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        let fingerprint = AccessToken("abc").fingerprint
        #expect(fingerprint.hexadecimal == digits)
        #expect(fingerprint.short == "ba7816bf8f01cfea")
        #expect("\(fingerprint)" == "ba7816bf8f01cfea")
        #expect(Fingerprint(hexadecimal: Array(digits.utf8)) == fingerprint)
        #expect(Fingerprint(hexadecimal: Array(digits.uppercased().utf8)) == fingerprint)
        #expect(Fingerprint(hexadecimal: Array(digits.dropLast().utf8)) == nil)
        #expect(Fingerprint(hexadecimal: Array((digits.dropLast() + "g").utf8)) == nil)
    }

    @Test("A secret's bytes can be written in place, and are read unchanged.")
    func bytes() {
        let secret = unsafe SecretBytes(count: 3) { memory in
            for index in 0..<3 { unsafe memory[index] = UInt8(index) }
        }
        #expect(secret.count == 3)
        #expect(unsafe secret.withUnsafeBytes { unsafe Array($0) } == [0, 1, 2])
    }
}
