import { Cron } from 'croner';
import * as z from 'zod';
import { duration, matching, notMatching, text, withRules } from './fields.ts';

/**
 * Around changes of the clocks it does as cron does: what should start in an hour that is left out starts at its end, and
 * what should start in an hour that comes twice starts once. Throws on what is no schedule or no time zone.
 */
export function cronOf(schedule: string, timeZone: string): Cron {
  return new Cron(schedule, { timezone: timeZone, mode: '5-part', paused: true });
}

/** Why the schedule cannot be followed; undefined: it can. */
export function scheduleProblem(schedule: string): string | undefined {
  try {
    return cronOf(schedule, 'UTC').nextRun() ? undefined : 'must come round at some time';
  } catch (error) {
    return `must be a schedule: ${(error as Error).message.replace(/^CronPattern: /, '')}`;
  }
}

/** Is the name of a time zone known? */
export function isTimeZone(name: string): boolean {
  try {
    return Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}

function names(list: string): string {
  return list
    .split(' ')
    .flatMap((name) => [name, name.toLowerCase(), name[0] + name.slice(1).toLowerCase()])
    .join('|');
}

/** One field of cron: values, ranges and steps of `value`, divided by commas. */
function cronField(value: string): string {
  const item = `(\\*|(${value})(-(${value}))?)(/[1-9][0-9]?)?`;
  return `${item}(,${item})*`;
}

/** minute, hour, day of the month, month, day of the week; names in one case or with a capital letter. */
const SCHEDULE = new RegExp(
  `^${[
    cronField('[0-5]?[0-9]'),
    cronField('[01]?[0-9]|2[0-3]'),
    cronField('0?[1-9]|[12][0-9]|3[01]'),
    cronField(`0?[1-9]|1[0-2]|${names('JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC')}`),
    cronField(`[0-7]|${names('SUN MON TUE WED THU FRI SAT')}`),
  ].join(' +')}$`,
);
const UNKNOWN_ZONE = 'must be the name of a time zone, such as UTC or Europe/Berlin';

const window = z.object({
  schedule: withRules(
    text(100, 'When it opens, as five fields of cron: minute, hour, day of the month, month, day of the week.').min(1),
    matching(SCHEDULE, 'must be five fields of cron, such as "0 22 * * MON-FRI"'),
    // The API server cannot judge the rest, such as ranges that run backwards; such a source becomes Stalled.
  ).superRefine((schedule, context) => {
    const message = scheduleProblem(schedule);
    if (message !== undefined) context.addIssue({ code: 'custom', message });
  }),
  duration: duration('1m', '8760h', 'How long it stays open, in real time.'),
  timeZone: withRules(
    text(64, 'The time zone whose clocks the schedule means, such as Europe/Berlin.').min(1),
    matching(/^[A-Za-z][-+A-Za-z0-9_]*(\/[-+A-Za-z0-9_]+)*$/, UNKNOWN_ZONE),
    notMatching(/^[Ll]ocal$/, UNKNOWN_ZONE),
    // Of a zone that it does not know, the API server can make no date.
    { cel: `timestamp('2026-01-01T00:00:00Z').getFullYear(self) > 0`, holds: isTimeZone, message: UNKNOWN_ZONE },
  ).default('UTC'),
  for: z.enum(['sync', 'heal']).meta({
    description: 'sync: commits are applied, and objects pruned. heal: what others changed is put back.',
  }),
  effect: z.enum(['allow', 'deny']).meta({
    description:
      'allow: only while such a window is open. deny: not while it is open, whatever else allows it. Without any window, always.',
  }),
});

/** `spec.windows`. */
export const windows = z
  .array(window)
  .max(32)
  .meta({
    description:
      'When commits are applied and drift is healed. Outside, a commit waits (status.pending) and drift is reported until ' +
      'the window opens; plumbline.dev/syncNow and plumbline.dev/healNow open it once.',
    'x-kubernetes-list-type': 'atomic',
  })
  .optional();
