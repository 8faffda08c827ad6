// Windows around the present moment: a schedule knows only minutes, so the end is made by the duration.
import type { GitOpsSource, GitOpsSourceSpecInput } from '../src/api/source.ts';
import type { Team } from './team.ts';
import { until } from './until.ts';

type Window = NonNullable<GitOpsSourceSpecInput['windows']>[number];

const MINUTE_MS = 60_000;

/** A window that is open now and ends in so many seconds, and the moment when it does. */
export function windowFor(seconds: number, purpose: Window['for'], effect: Window['effect'] = 'deny') {
  const now = Date.now();
  const endsAt = Math.ceil(now / 1000) * 1000 + seconds * 1000;
  const start = new Date(Math.floor(now / MINUTE_MS) * MINUTE_MS - MINUTE_MS);
  const window: Window = {
    schedule: `${start.getUTCMinutes()} ${start.getUTCHours()} * * *`,
    duration: `${(endsAt - start.getTime()) / 1000}s`,
    for: purpose,
    effect,
  };
  return { window, endsAt };
}

/** Closed for hours. */
export function closed(purpose: Window['for']): Window {
  return windowFor(6 * 3600, purpose).window;
}

/** Waits until this commit waits, for this reason. */
export function waiting(team: Team, commit: string, reason: string): Promise<GitOpsSource> {
  let last: GitOpsSource | undefined;
  return until(
    async () => {
      last = await team.source();
      const { pending, conditions } = last?.status ?? {};
      const reconciling = conditions?.find(({ type }) => type === 'Reconciling');
      const isPending = pending?.revision.endsWith(commit) === true && pending.reason === reason;
      return isPending && reconciling?.status === 'True' && reconciling.reason === reason ? last : undefined;
    },
    { what: `${commit} waits (${reason})`, timeoutMs: 60_000 },
  ).catch((cause: unknown) => {
    const log = JSON.stringify(team.world.operator.lines.slice(-15), null, 1);
    const status = JSON.stringify(last?.status, null, 1);
    throw new Error(`${(cause as Error).message}\nstatus: ${status}\nlog: ${log}`, { cause });
  });
}

/** Waits until this commit is applied as a whole. */
export async function applied(team: Team, commit: string): Promise<void> {
  const isApplied = async () => (await team.status()).lastAppliedRevision?.endsWith(commit);
  await until(isApplied, { what: `${commit} is applied`, timeoutMs: 60_000 });
  await team.condition('Ready', 'True');
}

/** Status and reason of a condition, and what it says. */
export function conditionOf(source: GitOpsSource | undefined, type: string) {
  const condition = source?.status?.conditions?.find((one) => one.type === type);
  return { status: condition?.status, reason: condition?.reason, message: condition?.message ?? '' };
}

/** The commit that the team pushed last. */
export async function headOf(team: Team): Promise<string> {
  return (await team.repository.git('rev-parse', 'HEAD')).trim();
}
