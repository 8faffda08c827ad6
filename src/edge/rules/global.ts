import type { Hit, Judged, Rule } from '../finding.ts';
import type { Edge, Policy, RouteGroup } from '../model.ts';
import { standing } from '../dropped.ts';
import { describe, partyOf, policiesOf, trafficOf } from '../party.ts';
import { deniesRedirect } from '../routes.ts';
import { shown } from '../shown.ts';
import { isTrueAt, textAt, valueAt } from '../spec.ts';
import { inEach } from './each.ts';

export const GLOBAL_RULES: readonly Rule[] = [
  {
    id: 'EM080',
    name: 'ratelimit-off',
    severity: 'error',
    impact: 'protection-lost',
    when: 'The RateLimitService has no `protocol_version: v3`; or there are two or more.',
    means: 'Emissary leaves the filter out: nothing is limited any more, for nobody, and no request tells.',
    mend: 'Keep one RateLimitService, with `protocol_version: v3`.',
    find: rateLimitOff,
  },
  {
    id: 'EM081',
    name: 'auth-pool',
    severity: 'error',
    impact: 'protection-lost',
    when: 'There are two or more AuthServices.',
    means:
      'Emissary puts all of them into one pool: any of them is asked about any request, so each decides for all and sees all credentials; `failure_mode_allow` of one holds for all.',
    mend: 'Keep one AuthService for each `ambassador_id`.',
    find: authPool,
  },
  {
    id: 'EM082',
    name: 'auth-grpc-version',
    severity: 'error',
    impact: 'outage',
    when: 'An AuthService of `proto: grpc` has no `protocol_version: v3`.',
    means: 'Emissary answers every request with 500.',
    mend: 'Set `protocol_version: v3`.',
    find: authGrpcVersion,
  },
  {
    id: 'EM083',
    name: 'single-service',
    severity: 'error',
    impact: 'no-effect',
    when: 'There are two or more TracingServices, or one with the driver `lightstep`; or a LogService has no `protocol_version: v3`.',
    means: 'Emissary uses none of them: there are no traces, no access logs.',
    mend: 'Keep one TracingService with a driver that Emissary knows; set `protocol_version: v3`.',
    find: singleService,
  },
  {
    id: 'EM088',
    name: 'auth-bypass',
    severity: 'warning',
    impact: 'protection-lost',
    when: 'A Mapping sets `bypass_auth`, or `host_redirect: false`, while there is an AuthService (an error for all paths); probes like `/healthz` are left alone. Redirects, which are never asked about, are information.',
    means:
      'The AuthService is not asked about these requests. Emissary takes a route on which `host_redirect` is written at all for a redirect here.',
    mend: 'Leave `bypass_auth` and `host_redirect: false` out, or confine it to a path that anybody may see.',
    find: authBypass,
  },
  {
    id: 'EM089',
    name: 'cors-wildcard',
    severity: 'warning',
    impact: 'protection-lost',
    when: 'CORS takes the origin `*` together with credentials.',
    means: 'Any web site can send requests with the cookies of its visitors and read the answers.',
    mend: 'List the origins.',
    find: inEach(['Mapping', 'Module'], corsWildcard, ['cors', 'config']),
  },
  {
    id: 'EM08A',
    name: 'failure-mode',
    severity: 'warning',
    impact: 'protection-lost',
    when: 'An AuthService has `failure_mode_allow`; or a RateLimitService has no `failure_mode_deny`.',
    means: 'When the service does not answer, requests pass unchecked.',
    mend: 'Leave `failure_mode_allow` out; set `failure_mode_deny: true`; or let the platform team accept it.',
    find: inEach(['AuthService', 'RateLimitService'], failureMode),
  },
];

/** Emissary 3 and later speak no other version (ir/irratelimit.py, ir/irauth.py, ir/irlogservice.py). */
function speaksOnlyV3(edge: Edge): boolean {
  return Number.parseInt(edge.settings.version, 10) >= 3;
}

function lacksV3({ spec }: Policy): boolean {
  return textAt(spec, 'protocol_version') !== 'v3';
}

/** Two or more of which there can be only one: each of them, with another one. */
function* rivals(policies: readonly Policy[], effect: string): Iterable<Hit> {
  const [first, second] = policies;
  if (!first || !second) return;
  for (const policy of policies) {
    const [object, other] = [partyOf(policy), partyOf(policy === first ? second : first)];
    const message = `${describe(object)} is one of ${policies.length} of its kind, ${describe(other)} is another: ${effect}`;
    yield { object, other, otherMayChange: true, message };
  }
}

function* rateLimitOff({ edge }: Judged): Iterable<Hit> {
  const services = [...standing(edge, 'RateLimitService')];
  yield* rivals(services, 'nothing is limited');
  const [only] = services;
  if (services.length !== 1 || !only || !speaksOnlyV3(edge) || !lacksV3(only)) return;
  const object = partyOf(only);
  const version = shown(valueAt(only.spec, 'protocol_version') ?? 'none');
  yield {
    object,
    detail: 'version',
    message: `${describe(object)} has protocol_version ${version}, not v3: nothing is limited`,
  };
}

function* authPool({ edge }: Judged): Iterable<Hit> {
  const modules = [...standing(edge, 'Module')].filter(
    ({ storedName, spec }) => storedName === 'authentication' && textAt(spec, 'config', 'auth_service'),
  );
  const services = [...modules, ...standing(edge, 'AuthService')];
  const open = services.find(({ spec }) => isTrueAt(spec, 'failure_mode_allow'));
  yield* rivals(
    services,
    `all are asked about all requests${open ? `, and requests pass when ${open.namespace}/${open.name} does not answer` : ''}`,
  );
}

function* authGrpcVersion({ edge }: Judged): Iterable<Hit> {
  if (!speaksOnlyV3(edge)) return;
  for (const policy of standing(edge, 'AuthService')) {
    if (textAt(policy.spec, 'proto') !== 'grpc' || !lacksV3(policy)) continue;
    const object = partyOf(policy);
    const version = shown(valueAt(policy.spec, 'protocol_version') ?? 'none');
    yield {
      object,
      message: `${describe(object)} speaks gRPC with protocol_version ${version}, not v3: every request gets 500`,
    };
  }
}

function* singleService({ edge }: Judged): Iterable<Hit> {
  const tracing = [...standing(edge, 'TracingService')];
  yield* rivals(tracing, 'nothing is traced');
  if (!speaksOnlyV3(edge)) return;
  for (const policy of tracing) {
    if (textAt(policy.spec, 'driver') !== 'lightstep') continue;
    const object = partyOf(policy);
    yield {
      object,
      detail: 'driver',
      message: `${describe(object)} has driver lightstep, which Emissary no longer has`,
    };
  }
  for (const policy of standing(edge, 'LogService')) {
    if (!lacksV3(policy)) continue;
    const object = partyOf(policy);
    const version = shown(valueAt(policy.spec, 'protocol_version') ?? 'none');
    yield {
      object,
      detail: 'version',
      message: `${describe(object)} has protocol_version ${version}, not v3: nothing is logged`,
    };
  }
}

/** Paths that probes ask for and that show nothing. */
const PROBES = new Set(['/healthz', '/livez', '/readyz', '/health', '/ping']);

function* authBypass({ edge }: Judged): Iterable<Hit> {
  if ([...policiesOf(edge, 'AuthService')].length === 0) return;
  for (const group of edge.groups) {
    if (group.internal) continue;
    if (group.redirect) {
      const object = partyOf(group.redirect);
      const message = `${describe(object)} redirects without asking the AuthService`;
      yield { object, traffic: trafficOf(group), severity: 'info', message };
    }
    const isOpen = deniesRedirect(group);
    for (const { policy } of group.members) {
      const why = bypassOf(policy, isOpen);
      if (why === undefined || PROBES.has(group.path.value.replace(/\/$/, ''))) continue;
      const object = partyOf(policy);
      const detail = shown([group.hostGlob, group.path.value]);
      const message = `${describe(object)} ${why} for ${shown(group.path.value)}`;
      yield {
        object,
        traffic: trafficOf(group),
        detail,
        message,
        ...(isEverything(group) && { severity: 'error' as const }),
      };
    }
  }
}

/** `isOpen`: some Mapping of its route denies to be a redirect. */
function bypassOf({ spec }: Policy, isOpen: boolean): string | undefined {
  if (isTrueAt(spec, 'bypass_auth')) return 'sets bypass_auth';
  if (!isOpen) return undefined;
  const own = Object.hasOwn(spec, 'host_redirect');
  return `${own ? 'writes' : 'shares its route with'} \`host_redirect: false\`, which turns authentication off`;
}

function isEverything({ path }: RouteGroup): boolean {
  return path.match === 'regex'
    ? /^\^?\/?\.[*+]\$?$/.test(path.value)
    : path.match === 'prefix' && ['', '/'].includes(path.value);
}

function* corsWildcard(policy: Policy): Iterable<Hit> {
  const cors = valueAt(policy.spec, ...(policy.kind === 'Module' ? ['config', 'cors'] : ['cors']));
  const origins = valueAt(cors, 'origins');
  const list = typeof origins === 'string' ? origins.split(',') : Array.isArray(origins) ? (origins as unknown[]) : [];
  const every = list.some((origin) => typeof origin === 'string' && origin.trim() === '*');
  if (!every || !isTrueAt(cors, 'credentials')) return;
  const object = partyOf(policy);
  yield { object, message: `${describe(object)} takes requests with credentials from every origin` };
}

function* failureMode(policy: Policy): Iterable<Hit> {
  const object = partyOf(policy);
  if (policy.kind === 'AuthService') {
    if (!isTrueAt(policy.spec, 'failure_mode_allow')) return;
    yield { object, message: `${describe(object)} sets failure_mode_allow: without its answer requests pass` };
  } else if (!isTrueAt(policy.spec, 'failure_mode_deny')) {
    yield { object, message: `${describe(object)} does not set failure_mode_deny: without its answer requests pass` };
  }
}
