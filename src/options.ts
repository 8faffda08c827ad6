import { parseArgs } from 'node:util';
import { durationMs } from './api/fields.ts';
import { TerminalError } from './errors.ts';
import { DEFAULT_CACHE_DIR } from './git/mirror-disk.ts';
import { LOG_LEVELS, type LogLevel } from './report/log.ts';

/** Flags of the operator, with their defaults; docs/reference/flags.md says what each means. */
export const FLAGS = {
  kubeconfig: { type: 'string', default: '', help: 'Run outside a cluster, with this kubeconfig.' },
  context: { type: 'string', default: '', help: 'The context of the kubeconfig; its current one when empty.' },
  'default-service-account': {
    type: 'string',
    default: 'plumbline',
    help: 'ServiceAccount, in the namespace of a source, that a source without serviceAccountName writes as.',
  },
  'watch-namespace': { type: 'string', default: '', help: 'Only sources of this namespace; all when empty.' },
  'leader-elect': {
    type: 'string',
    default: 'true',
    help: 'One replica acts, the others stand by. `false` for a single process outside a cluster.',
  },
  'metrics-address': { type: 'string', default: ':8080', help: 'Where /metrics is served; 0 switches it off.' },
  'health-address': {
    type: 'string',
    default: ':8081',
    help: 'Where /healthz and /readyz are served; 0 switches it off. A replica that stands by is ready while it can read the lease.',
  },
  'log-level': { type: 'string', default: 'info', help: `One of ${LOG_LEVELS.join(', ')}.` },
  'cache-dir': {
    type: 'string',
    default: DEFAULT_CACHE_DIR,
    help: 'Where Git mirrors are kept. May be lost at any time.',
  },
  'verify-interval': {
    type: 'string',
    default: '4h',
    help: 'How often each source is listed and compared as a whole, about: the net below the watches.',
  },
  'prevent-namespaces': {
    type: 'string',
    default: '',
    help: 'Namespaces whose sources may set spec.drift.mode: Prevent: names with * for any text, divided by commas; none when empty.',
  },
  'break-glass-groups': {
    type: 'string',
    default: 'plumbline:break-glass',
    help: 'Groups of users that spec.drift.mode: Prevent never refuses anything, divided by commas.',
  },
  concurrency: {
    type: 'string',
    default: '32',
    help: 'How many sources run at the same time; those of one namespace at most half as many.',
  },
  help: { type: 'boolean', default: false, help: 'Print this.' },
} as const;

/** Codes of this file; see docs/reference/errors.md. */
export const OPTION_ERRORS = {
  InvalidFlag: {
    meaning: 'A flag of the operator is unknown or has a value that it cannot have.',
    mend: 'See docs/reference/flags.md, or run it with --help.',
  },
} as const;

export interface Options {
  kubeconfig: string;
  context: string;
  defaultServiceAccount: string;
  watchNamespace: string;
  leaderElect: boolean;
  metricsAddress: string;
  healthAddress: string;
  logLevel: LogLevel;
  cacheDir: string;
  concurrency: number;
  verifyIntervalMs: number;
  /** Patterns of the namespaces whose sources may use drift.mode Prevent, and whom it never refuses. */
  preventNamespaces: string[];
  breakGlassGroups: string[];
  /** From the downward API; outside a cluster they are made up. */
  pod: { name: string; uid: string; namespace: string };
}

/** Reads flags and the pod's environment. `help` when it was asked for; throws InvalidFlag. */
export function readOptions(
  args: readonly string[],
  environment: Record<string, string | undefined>,
): Options | 'help' {
  let values: Record<keyof typeof FLAGS, string | boolean>;
  try {
    ({ values } = parseArgs({ args: [...args], options: FLAGS, strict: true }));
  } catch (error) {
    throw new TerminalError('InvalidFlag', (error as Error).message, { cause: error });
  }
  if (values.help) return 'help';
  const text = (name: keyof typeof FLAGS) => String(values[name]);
  const oneOf = <T extends string>(name: keyof typeof FLAGS, allowed: readonly T[]): T => {
    const found = allowed.find((value) => value === text(name));
    if (found !== undefined) return found;
    throw new TerminalError('InvalidFlag', `--${name}=${text(name)}: must be one of ${allowed.join(', ')}`);
  };
  const concurrency = Number(text('concurrency'));
  if (!Number.isInteger(concurrency) || concurrency < 1 || concurrency > 256) {
    throw new TerminalError(
      'InvalidFlag',
      `--concurrency=${text('concurrency')}: must be a whole number from 1 to 256`,
    );
  }
  const name = environment['POD_NAME'] || `plumbline-${process.pid}`;
  return {
    kubeconfig: text('kubeconfig'),
    context: text('context'),
    defaultServiceAccount: text('default-service-account'),
    watchNamespace: text('watch-namespace'),
    leaderElect: oneOf('leader-elect', ['true', 'false']) === 'true',
    metricsAddress: text('metrics-address'),
    healthAddress: text('health-address'),
    logLevel: oneOf('log-level', LOG_LEVELS),
    cacheDir: text('cache-dir'),
    concurrency,
    verifyIntervalMs: intervalMs('verify-interval', text('verify-interval')),
    preventNamespaces: listOf(text('prevent-namespaces')),
    breakGlassGroups: listOf(text('break-glass-groups')),
    pod: { name, uid: environment['POD_UID'] || name, namespace: environment['POD_NAMESPACE'] || 'plumbline-system' },
  };
}

function listOf(value: string): string[] {
  return value.split(',').flatMap((part) => part.trim() || []);
}

/** From a second to a day. */
function intervalMs(flag: keyof typeof FLAGS, value: string): number {
  try {
    const ms = durationMs(value);
    if (ms >= 1_000 && ms <= 86_400_000) return ms;
  } catch {
    // Not a time at all; the same answer.
  }
  throw new TerminalError('InvalidFlag', `--${flag}=${value}: must be a time from 1s to 24h, such as 30m or 4h`);
}

/** What `--help` prints. */
export function usage(): string {
  const lines = Object.entries(FLAGS).map(
    ([name, { default: value, help }]) =>
      `  --${name.padEnd(26)}${help}${value === '' || typeof value === 'boolean' ? '' : ` (${value})`}`,
  );
  return `plumbline-operator [flags]: keeps a cluster true to Git.\n\n${lines.join('\n')}\n`;
}
