import { describe, partyOf } from '../edge/party.ts';
import type { Answer } from '../edge/request.ts';
import type { TableRoute } from '../edge/route-table.ts';
import type { DiffResult } from './diff.ts';
import { jsonReport } from './report-json.ts';
import type { RoutesResult } from './routes.ts';

/** `plumbline routes -o json`: the table, or with `--path` the answers of the Listeners. */
export function jsonRoutes({ routes, unserved, answers, problems, notes }: RoutesResult) {
  const told = { problems, notes };
  return answers ? { answers: answers.map(answerOf), ...told } : { routes: routes.map(withoutKey), unserved, ...told };
}

/** `plumbline diff -o json`. */
export function jsonDiff({ diff: { added, changed, lost }, report }: DiffResult) {
  const { findings, ...rest } = jsonReport(report);
  return {
    routes: {
      added: added.map(withoutKey),
      changed: changed.map(({ before, after, fields }) => ({
        fields,
        before: withoutKey(before),
        after: withoutKey(after),
      })),
      lost: lost.map(withoutKey),
    },
    newFindings: findings,
    ...rest,
  };
}

/** The key is for comparing, not for reading. */
function withoutKey(route: TableRoute) {
  return { ...route, key: undefined };
}

function answerOf({ listener, chain, vhost, served, unserved }: Answer) {
  return {
    listener: listener.name,
    port: listener.port,
    accepted: chain !== undefined,
    host: vhost?.domains.join(', ') ?? null,
    served: served.map(({ route: { policy, path, action }, share }) => ({
      share,
      object: partyOf(policy),
      name: describe(partyOf(policy)),
      path,
      ...(action.kind === 'cluster'
        ? { service: action.cluster.endpoints[0] ?? null, statsName: action.cluster.altStatName }
        : { redirect: action.redirect }),
    })),
    unserved,
  };
}
