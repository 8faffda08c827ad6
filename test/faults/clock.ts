// Loaded by `--import` ahead of an operator that is under test: its parent moves its wall clock, as an administrator or NTP
// does. Only `Date` moves; the monotonic clock never does on a real machine either. The operator knows nothing of it.
const RealDate = Date;
let offsetMs = 0;

class ShiftedDate extends RealDate {
  constructor(...args: unknown[]) {
    super(...((args.length === 0 ? [ShiftedDate.now()] : args) as [number]));
  }

  static override now(): number {
    return RealDate.now() + offsetMs;
  }
}

// Threads of the operator have no channel to our parent, and no use for it.
if (process.send) {
  globalThis.Date = ShiftedDate as DateConstructor;
  process.on('message', (message: { clockOffsetMs: number }) => void (offsetMs = message.clockOffsetMs));
  process.channel?.unref();
}
