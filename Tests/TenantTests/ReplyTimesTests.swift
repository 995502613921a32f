import Tenant
import Testing

@Suite("Times in replies")
struct ReplyTimesTests {
    @Test(
        "A date is read in each of HTTP's three forms, and in no other.",
        arguments: [
            ("Sun, 06 Nov 1994 08:49:37 GMT", 784_111_777.0), ("Sunday, 06-Nov-94 08:49:37 GMT", 784_111_777),
            ("Sun Nov  6 08:49:37 1994", 784_111_777), ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
            ("Mon, 29 Feb 2028 12:00:00 GMT", 1_835_438_400), ("soon", nil), ("", nil),
            ("Sun, 99 Nov 1994 08:49:37 GMT", nil),
            ("Sun, 06 Foo 1994 08:49:37 GMT", nil), ("Sun, 06 Nov 1994 25:49:37 GMT", nil),
        ] as [(String, Double?)]
    )
    func dates(text: String, seconds: Double?) {
        #expect(HTTPDate.seconds(text) == seconds)
    }

    @Test(
        "The smaller of two usable lifetimes counts, and only a finite one in the future is usable.",
        arguments: [
            (100, nil, 100), (nil, "1994-11-06T08:49:47Z", 10), (100, "1994-11-06T08:49:47.000Z", 10),
            (5, "1994-11-06T08:49:47Z", 5), (-1, "1994-11-06T08:49:47Z", 10), (0, nil, nil), (.infinity, nil, nil),
            (.nan, nil, nil), (100, "1970-01-01T00:00:00Z", 100), (100, "malformed", 100), (nil, nil, nil),
        ] as [(Double?, String?, Double?)]
    )
    func lifetimes(expiresIn: Double?, expiresAt: String?, seconds: Double?) {
        let times = ReplyTimes(dateHeader: "Sun, 06 Nov 1994 08:49:37 GMT", wall: 0)
        #expect(times.lifetime(expiresIn: expiresIn, expiresAt: expiresAt) == seconds.map { .seconds($0) })
    }

    @Test(
        "A time in RFC 3339's form may have small letters, fractions and an offset, and nothing around it.",
        arguments: [
            ("1994-11-06t08:49:47z", 10), ("1994-11-06T08:49:47.25Z", 10.25), ("1994-11-06T10:49:47+02:00", 10),
            ("1994-11-06T03:19:47-05:30", 10), ("1994-11-06 08:49:47Z", 10), ("1994-11-06T08:49:47.000000001Z", 10),
            ("1994-11-06T08:49:47Zjunk", nil), ("1994-11-06T08:49:47", nil), ("1994-11-06T08:49:47.Z", nil),
            ("1994-13-06T08:49:47Z", nil), ("1994-02-30T08:49:47Z", nil), (" 1994-11-06T08:49:47Z", nil),
            ("1994-11-06T24:49:47Z", nil), ("1994-11-06T08:49:47+2:00", nil), ("94-11-06T08:49:47Z", nil), ("", nil),
        ] as [(String, Double?)]
    )
    func timestamps(text: String, seconds: Double?) {
        let times = ReplyTimes(dateHeader: "Sun, 06 Nov 1994 08:49:37 GMT", wall: 0)
        let lifetime = times.lifetime(expiresIn: nil, expiresAt: text)
        #expect(lifetime.map { ($0 / .milliseconds(1)).rounded() } == seconds.map { $0 * 1_000 })
    }

    @Test("If the reply has no date, the local wall clock counts.")
    func wall() {
        let times = ReplyTimes(dateHeader: nil, wall: 784_111_777)
        #expect(times.lifetime(expiresIn: nil, expiresAt: "1994-11-06T08:49:47Z") == .seconds(10))
    }

    @Test(
        "A Retry-After has seconds or a date in the future.",
        arguments: [
            ("13", 13), ("0", nil), ("-5", nil), ("1.5", nil), ("Sun, 06 Nov 1994 08:50:37 GMT", 60),
            ("Sun, 06 Nov 1994 08:48:37 GMT", nil), ("tomorrow", nil), ("", nil), (" ", nil),
            (" 13\t", 13), ("1 3", nil), ("\tSun, 06 Nov 1994 08:50:37 GMT ", 60),
        ] as [(String, Double?)]
    )
    func retryAfter(header: String, seconds: Double?) {
        let times = ReplyTimes(dateHeader: "Sun, 06 Nov 1994 08:49:37 GMT", wall: 0)
        #expect(times.retryAfter(header) == seconds.map { .seconds($0) })
    }
}
