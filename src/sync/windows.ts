import type { Cron } from 'croner';
import { durationMs } from '../api/fields.ts';
import { cronOf } from '../api/windows.ts';

/** What a window is about: commits that want to be applied, or drift that wants to be put back. */
export type Purpose = 'sync' | 'heal';

/** One of `spec.windows`: it opens whenever the schedule comes round, and stays open for its duration. */
export interface Window {
  /** Five fields of cron, on the clocks of `timeZone`. */
  readonly schedule: string;
  /** Of real time: a window of 8h that spans the change to summer time ends an hour later on the clocks. */
  readonly duration: string;
  /** IANA, such as Europe/Berlin. */
  readonly timeZone: string;
  readonly for: Purpose;
  readonly effect: 'allow' | 'deny';
}

/** Whether something may be done now, and when that changes. */
export interface Opening {
  readonly open: boolean;
  /** Milliseconds since the epoch; Infinity: never. */
  readonly until: number;
  /** It may last longer than that: nobody looked further ahead. */
  readonly atLeast: boolean;
}

const ALWAYS: Opening = { open: true, until: Infinity, atLeast: false };
/** Starts of windows that are looked at for one answer, each a tenth of a millisecond: whatever stands in a spec, it ends. */
const MAX_STARTS = 1_000;

/**
 * Of the windows for this purpose, an open one that denies wins; then, where any allow, one of these must be open; without
 * windows everything is open. `now` in milliseconds since the epoch.
 */
export function openingOf(windows: readonly Window[], purpose: Purpose, now: number): Opening {
  const budget = { starts: MAX_STARTS };
  const spans = windows.filter((window) => window.for === purpose).map((window) => new Span(window, now, budget));
  if (spans.length === 0) return ALWAYS;
  const open = isOpen(spans);
  for (;;) {
    const next = spans.reduce((a, b) => (b.changesAt < a.changesAt ? b : a));
    const until = next.changesAt;
    if (until === Infinity) return { open, until, atLeast: false };
    if (!next.isExact || budget.starts <= 0) return { open, until, atLeast: true };
    for (const span of spans) span.moveTo(until);
    if (isOpen(spans) !== open) return { open, until, atLeast: false };
  }
}

function isOpen(spans: readonly Span[]): boolean {
  const allow = spans.filter(({ effect }) => effect === 'allow');
  if (spans.some((span) => span.effect === 'deny' && span.covers)) return false;
  return allow.length === 0 || allow.some((span) => span.covers);
}

/** One window at a moment that moves on. It covers its start, and no longer its end; openings that meet are one. */
class Span {
  readonly effect: Window['effect'];
  covers = false;
  changesAt = -Infinity;
  /** False: it goes on at `changesAt` as far as anybody has looked. */
  isExact = true;
  readonly #cron: Cron;
  readonly #lengthMs: number;
  readonly #budget: { starts: number };

  constructor({ schedule, timeZone, duration, effect }: Window, now: number, budget: { starts: number }) {
    this.effect = effect;
    this.#cron = cronOf(schedule, timeZone);
    this.#lengthMs = durationMs(duration);
    this.#budget = budget;
    this.moveTo(now);
  }

  moveTo(now: number): void {
    if (now < this.changesAt) return;
    let start = this.#startAfter(now - this.#lengthMs);
    this.covers = start <= now;
    this.changesAt = start;
    while (this.covers) {
      this.changesAt = start + this.#lengthMs;
      start = this.#startAfter(start);
      if (start > this.changesAt) return;
      this.isExact = this.#budget.starts > 0;
      if (!this.isExact) return;
    }
  }

  #startAfter(at: number): number {
    this.#budget.starts -= 1;
    return this.#cron.nextRun(new Date(at))?.getTime() ?? Infinity;
  }
}

/** The windows of one source, with the answer kept for as long as it holds: it is asked for at each drift. */
export class Timetable {
  readonly #windows: readonly Window[];
  readonly #known = new Map<Purpose, Opening & { from: number }>();

  constructor(windows: readonly Window[]) {
    this.#windows = windows;
  }

  /** As `openingOf`. The clock may jump, back as well. */
  at(purpose: Purpose, now: number): Opening {
    const known = this.#known.get(purpose);
    if (known && now >= known.from && now < known.until) return known;
    const opening = { ...openingOf(this.#windows, purpose, now), from: now };
    this.#known.set(purpose, opening);
    return opening;
  }
}
