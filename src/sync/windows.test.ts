import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inTime } from '../../test/in-time.ts';
import { isTimeZone, scheduleProblem } from '../api/windows.ts';
import { openingOf, Timetable, type Opening, type Window } from './windows.ts';

function window(schedule: string, duration: string, more: Partial<Window> = {}): Window {
  return { schedule, duration, timeZone: 'UTC', for: 'sync', effect: 'allow', ...more };
}
const allow = window;
const deny = (schedule: string, duration: string, more: Partial<Window> = {}) =>
  window(schedule, duration, { effect: 'deny', ...more });
const berlin = { timeZone: 'Europe/Berlin' };
const newYork = { timeZone: 'America/New_York' };

/** `until`: 'always' for Infinity, 'at least …' where it may last longer. Times of 2026 unless a year stands there. */
interface Case {
  title: string;
  windows: Window[];
  at: string;
  open: boolean;
  until: string;
}

const nights = [allow('0 22 * * *', '8h')];
const CASES: Case[] = [
  { title: 'no window at all is open', windows: [], at: '01-05T12:00', open: true, until: 'always' },
  {
    title: 'windows for something else do not count',
    windows: [deny('* * * * *', '1h', { for: 'heal' })],
    at: '01-05T12:00',
    open: true,
    until: 'always',
  },
  { title: 'before an allowed night', windows: nights, at: '01-05T12:00', open: false, until: '01-05T22:00' },
  { title: 'at its first moment', windows: nights, at: '01-05T22:00', open: true, until: '01-06T06:00' },
  { title: 'after midnight', windows: nights, at: '01-06T03:00', open: true, until: '01-06T06:00' },
  { title: 'at its end', windows: nights, at: '01-06T06:00', open: false, until: '01-06T22:00' },
  {
    title: 'a denied afternoon',
    windows: [deny('0 12 * * *', '6h')],
    at: '01-05T13:30',
    open: false,
    until: '01-05T18:00',
  },
  {
    title: 'before a denied afternoon',
    windows: [deny('0 12 * * *', '6h')],
    at: '01-05T06:00',
    open: true,
    until: '01-05T12:00',
  },
  {
    title: 'deny wins over allow',
    windows: [...nights, deny('0 23 * * *', '1h')],
    at: '01-05T23:30',
    open: false,
    until: '01-06T00:00',
  },
  {
    title: 'a deny that outlasts the allow closes until the next allow',
    windows: [...nights, deny('0 23 * * *', '10h')],
    at: '01-06T05:00',
    open: false,
    until: '01-06T22:00',
  },
  {
    title: 'a deny that does not outlast it cuts the allow in two',
    windows: [...nights, deny('0 23 * * *', '1h')],
    at: '01-05T22:30',
    open: true,
    until: '01-05T23:00',
  },
  {
    title: 'one of several allows is enough',
    windows: [...nights, allow('0 12 * * *', '1h')],
    at: '01-05T12:30',
    open: true,
    until: '01-05T13:00',
  },
  {
    title: 'allows that meet are one',
    windows: [...nights, allow('0 6 * * *', '2h')],
    at: '01-06T03:00',
    open: true,
    until: '01-06T08:00',
  },
  {
    title: 'allows that overlap are one',
    windows: [...nights, allow('0 4 * * *', '5h')],
    at: '01-06T03:00',
    open: true,
    until: '01-06T09:00',
  },
  {
    title: 'a window longer than its period does not close as far as one looks',
    windows: [allow('0 * * * *', '2h')],
    at: '01-06T03:30',
    open: true,
    until: 'at least 02-16T18:00',
  },
  {
    title: 'and when it denies, it does not open',
    windows: [deny('* * * * *', '1m')],
    at: '01-06T03:30',
    open: false,
    until: 'at least 01-06T20:09',
  },
  {
    title: 'a freeze over the holidays, longer than a month of nights',
    windows: [...nights, deny('0 0 20 12 *', '360h')],
    at: '12-24T23:00',
    open: false,
    until: '2027-01-04T00:00',
  },
  {
    title: 'working days only: Friday night',
    windows: [allow('0 8 * * MON-FRI', '9h')],
    at: '01-09T20:00',
    open: false,
    until: '01-12T08:00',
  },
  {
    title: 'Sunday is 0 and 7',
    windows: [allow('0 8 * * 7', '1h'), deny('30 8 * * 0', '10m')],
    at: '01-11T08:35',
    open: false,
    until: '01-11T08:40',
  },
  {
    title: 'a day of the month or a day of the week, as cron has it',
    windows: [allow('0 0 13 * FRI', '24h')],
    at: '01-10T12:00',
    open: false,
    until: '01-13T00:00',
  },
  {
    title: 'more than 24.8 days ahead',
    windows: [allow('0 0 1 12 *', '1h')],
    at: '01-06T00:00',
    open: false,
    until: '12-01T00:00',
  },
  {
    title: 'a leap day, years ahead',
    windows: [allow('0 0 29 2 *', '1h')],
    at: '03-01T00:00',
    open: false,
    until: '2028-02-29T00:00',
  },
  {
    title: 'on the clocks of Berlin in winter',
    windows: [allow('0 22 * * *', '8h', berlin)],
    at: '01-05T12:00',
    open: false,
    until: '01-05T21:00',
  },
  {
    title: 'and in summer',
    windows: [allow('0 22 * * *', '8h', berlin)],
    at: '07-05T12:00',
    open: false,
    until: '07-05T20:00',
  },
  {
    title: 'a zone of half an hour',
    windows: [allow('0 9 * * *', '1h', { timeZone: 'Asia/Kolkata' })],
    at: '01-05T00:00',
    open: false,
    until: '01-05T03:30',
  },
  {
    title: 'the clocks go forward inside the window: 8 real hours, to 7 on the clocks',
    windows: [allow('0 22 * * *', '8h', berlin)],
    at: '03-29T02:00',
    open: true,
    until: '03-29T05:00',
  },
  {
    title: 'the clocks go back inside the window: 8 real hours, to 5 on the clocks',
    windows: [allow('0 22 * * *', '8h', berlin)],
    at: '10-25T02:30',
    open: true,
    until: '10-25T04:00',
  },
  {
    title: 'a start in the hour that is left out comes at its end',
    windows: [allow('30 2 * * *', '1h', berlin)],
    at: '03-29T00:00',
    open: false,
    until: '03-29T01:00',
  },
  {
    title: 'and it lasts as long as ever',
    windows: [allow('30 2 * * *', '1h', berlin)],
    at: '03-29T01:00',
    open: true,
    until: '03-29T02:00',
  },
  {
    title: 'a start in the hour that comes twice comes the first time',
    windows: [allow('30 2 * * *', '30m', berlin)],
    at: '10-25T00:30',
    open: true,
    until: '10-25T01:00',
  },
  {
    title: 'and not the second time',
    windows: [allow('30 2 * * *', '30m', berlin)],
    at: '10-25T01:30',
    open: false,
    until: '10-26T01:30',
  },
  {
    title: 'the same in New York, forward',
    windows: [deny('30 2 * * *', '1h', newYork)],
    at: '03-08T07:30',
    open: false,
    until: '03-08T08:00',
  },
  {
    title: 'the same in New York, back',
    windows: [deny('30 1 * * *', '1h', newYork)],
    at: '11-01T05:45',
    open: false,
    until: '11-01T06:30',
  },
  {
    title: 'windows of two zones, a day when only one of them has changed its clocks',
    windows: [allow('0 9 * * *', '8h', berlin), deny('0 6 * * *', '1h', newYork)],
    at: '03-20T10:30',
    open: false,
    until: '03-20T11:00',
  },
];

const utc = (text: string) => Date.parse(`${text.length > 11 ? text : `2026-${text}`}:00Z`);

function shown({ until, atLeast }: Opening): string {
  if (until === Infinity) return 'always';
  return `${atLeast ? 'at least ' : ''}${new Date(until)
    .toISOString()
    .slice(0, 16)
    .replace(/^2026-/, '')}`;
}

for (const { title, windows, at, open, until } of CASES) {
  test(title, () => {
    const opening = openingOf(windows, 'sync', utc(at));
    assert.deepEqual({ open: opening.open, until: shown(opening) }, { open, until });
  });
}

test('until is exact: nothing changes a millisecond before, everything at it', () => {
  for (const { windows, at } of CASES) {
    const { open, until, atLeast } = openingOf(windows, 'sync', utc(at));
    if (until === Infinity) continue;
    assert.equal(openingOf(windows, 'sync', until - 1).open, open);
    assert.equal(openingOf(windows, 'sync', until).open, atLeast ? open : !open);
  }
});

test('the worst that a spec can hold is answered in a moment', () => {
  const minutes = Array.from({ length: 16 }, (_, n) => allow('*/2 * * * *', `${60 + n}s`, berlin));
  const windows = [...minutes, deny('* * * * *', '8760h')];
  const { open, atLeast } = inTime(2_000, () => openingOf(windows, 'sync', utc('01-05T12:00')));
  assert.deepEqual({ open, atLeast }, { open: false, atLeast: true });
});

for (const [first, last] of [
  ['03-23T00:00', '04-02T00:00'],
  ['10-19T00:00', '10-29T00:00'],
] as const) {
  test(`from ${first} to ${last}, asked each half hour, agrees with walking from change to change`, () => {
    const windows = [allow('30 1 * * *', '2h', berlin), deny('0 3 * * SUN', '45m', berlin)];
    let walked = openingOf(windows, 'sync', utc(first));
    for (let at = utc(first); at < utc(last); at += 1_800_000) {
      while (at >= walked.until) walked = openingOf(windows, 'sync', walked.until);
      assert.equal(openingOf(windows, 'sync', at).open, walked.open, new Date(at).toISOString());
    }
  });
}

test('schedules that cannot be followed are told apart', () => {
  assert.equal(scheduleProblem('0 22 * * 1-5'), undefined);
  assert.equal(scheduleProblem('0 0 29 2 *'), undefined);
  assert.equal(scheduleProblem('0 0 31 2 *'), 'must come round at some time');
  for (const schedule of ['', '* * * *', '0 0 0 1 1 *', '61 * * * *', '0 0 * * FRI-MON', 'every night'])
    assert.match(scheduleProblem(schedule) ?? '', /^must be a schedule: /, schedule);
});

test('time zones are those of IANA', () => {
  for (const name of ['UTC', 'Europe/Berlin', 'America/Argentina/Buenos_Aires']) assert.equal(isTimeZone(name), true);
  for (const name of ['', 'Mars/Base', 'Local', 'Europe/berlin/x']) assert.equal(isTimeZone(name), false);
});

test('a timetable gives the answer of the moment, also when the clock is set back', () => {
  const timetable = new Timetable(nights);
  for (const at of ['01-05T12:00', '01-05T21:59', '01-05T22:00', '01-06T05:00', '01-05T23:00', '01-05T12:00']) {
    const { open, until } = timetable.at('sync', utc(at));
    const wanted = openingOf(nights, 'sync', utc(at));
    assert.deepEqual({ open, until }, { open: wanted.open, until: wanted.until }, at);
  }
});
