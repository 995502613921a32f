/* EngineClock: a time of day that a test sets, for a program that is started with this library in LD_PRELOAD.
 *
 * The variable ENGINE_CLOCK names a file of eight bytes, the microseconds since 1970 in the machine's byte order. The
 * program reads them whenever it asks for the time of day. Its monotonic clock goes on. */
