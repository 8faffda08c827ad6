// What goes wrong between the operator and the world around it.
import type { Random } from '../random.ts';
import type { RequestKind, WatchFault } from './proxy.ts';
import { GIT_FAULTS, type Action } from './steps.ts';

const WEIGHTS = { freeze: 4, clock: 4, git: 12, api: 22, watches: 10 };

export function anyFault(random: Random): Action {
  switch (random.weighted(WEIGHTS)) {
    case 'freeze':
      return { do: 'freeze', ms: 100 + random.below(2_000) };
    case 'clock':
      return { do: 'clock', offsetMs: random.pick([-1, 1]) * random.below(2 ** random.below(36)) };
    case 'git':
      return { do: 'git', fault: random.pick(GIT_FAULTS), ms: 300 + random.below(2_500) };
    case 'api':
      return apiFault(random);
    case 'watches':
      return { do: 'watches', fault: watchFault(random) };
  }
}

/** `kill -9` when a request passes, before or after the API server has carried it out. */
export function killAtRequest(random: Random): Action {
  const on = random.pick<RequestKind[]>([['write'], ['write'], ['read', 'list'], ['watch'], ['write', 'read', 'list']]);
  const fault = { kind: 'kill', acted: random.chance(0.5) } as const;
  return { do: 'api', rule: { on, after: random.below(12), times: 1, fault } };
}

function apiFault(random: Random): Action {
  const kind = random.pick([
    'status',
    'status',
    'page',
    'truncate',
    'reset',
    'blackhole',
    'slow',
    'late',
    'hold',
  ] as const);
  const on = random.pick<RequestKind[]>([['write'], ['read'], ['list', 'watch'], ['write', 'read', 'list', 'watch']]);
  const rule = { on, after: random.below(4), times: 1 + random.below(6) };
  switch (kind) {
    case 'status': {
      const status = random.pick([410, 429, 429, 500, 503] as const);
      // Nothing but a list or a watch is ever too old.
      if (status === 410) return { do: 'api', rule: { ...rule, on: ['list', 'watch'], fault: { kind, status } } };
      const retryAfter = status === 429 && random.chance(0.7) && { retryAfter: 1 };
      return { do: 'api', rule: { ...rule, fault: { kind, status, ...retryAfter } } };
    }
    case 'reset':
      return { do: 'api', rule: { ...rule, fault: { kind, acted: random.chance(0.6) } } };
    case 'slow':
    case 'late':
      return { do: 'api', rule: { ...rule, fault: { kind, ms: 50 + random.below(1_500) } } };
    case 'hold':
      return { do: 'api', rule: { ...rule, on: ['write'], fault: { kind, ms: 200 + random.below(2_500) } } };
    case 'page':
    case 'truncate':
    case 'blackhole':
      return { do: 'api', rule: { ...rule, fault: { kind } } };
  }
}

function watchFault(random: Random): WatchFault {
  const kind = random.pick(['cut', 'cut', 'gone', 'stall', 'break'] as const);
  return kind === 'stall' ? { kind, ms: 200 + random.below(2_000) } : { kind };
}
