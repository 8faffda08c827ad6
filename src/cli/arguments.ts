import { homedir } from 'node:os';
import { delimiter, join, resolve, sep } from 'node:path';
import { parseArgs, type ParseArgsOptionDescriptor } from 'node:util';
import about from '../../package.json' with { type: 'json' };
import type { Severity } from '../edge/finding.ts';
import { DEFAULT_EDGE_SETTINGS, type EdgeSettings } from '../edge/input.ts';
import { TerminalError } from '../errors.ts';
import type { SourceArgument } from './sources.ts';
import { STDIN } from './working-copy.ts';

interface Flag extends ParseArgsOptionDescriptor {
  /** What stands for the value in the help text. */
  readonly value?: string;
  readonly help: string;
}

const OUTPUTS = ['human', 'json', 'markdown', 'sarif'] as const;
export type OutputFormat = (typeof OUTPUTS)[number];

const SEVERITIES = ['error', 'warning', 'info'] as const satisfies readonly Severity[];

const READING = {
  source: {
    type: 'string',
    multiple: true,
    value: 'NAME=PATH',
    help: 'A repository with the name of its source (namespace/name); may be repeated.',
  },
  include: { type: 'string', multiple: true, value: 'GLOB', help: 'Only files that match; may be repeated.' },
  exclude: { type: 'string', multiple: true, value: 'GLOB', help: 'Not the files that match; may be repeated.' },
  namespace: { type: 'string', short: 'n', value: 'NAME', help: 'Of objects that name none (default).' },
} satisfies Record<string, Flag>;

const CLUSTER = {
  kubeconfig: { type: 'string', value: 'FILE', help: 'The cluster ($KUBECONFIG, else ~/.kube/config).' },
  context: { type: 'string', value: 'NAME', help: 'The context of the kubeconfig; its current one by default.' },
} satisfies Record<string, Flag>;

const LIVE = {
  live: { type: 'boolean', help: 'Add what the cluster of the kubeconfig holds.' },
  ...CLUSTER,
} satisfies Record<string, Flag>;

const GATEWAY = {
  'emissary-version': {
    type: 'string',
    value: 'VERSION',
    help: `As this Emissary would do it (${DEFAULT_EDGE_SETTINGS.version}).`,
  },
  'ambassador-id': {
    type: 'string',
    value: 'ID',
    help: `Of the gateway to judge (${DEFAULT_EDGE_SETTINGS.ambassadorId}).`,
  },
  'emissary-namespace': { type: 'string', value: 'NAME', help: `Where it runs (${DEFAULT_EDGE_SETTINGS.namespace}).` },
} satisfies Record<string, Flag>;

const JUDGING = {
  show: { type: 'string', value: 'SEVERITY', help: 'Print findings from this severity on (warning).' },
  ignore: { type: 'string', multiple: true, value: 'RULE', help: 'Leave out a rule (EM046); may be repeated.' },
} satisfies Record<string, Flag>;

const output = (formats: readonly OutputFormat[]) =>
  ({
    output: { type: 'string', short: 'o', value: 'FORMAT', help: `One of ${formats.join(', ')} (human).` },
    help: { type: 'boolean', short: 'h', help: 'Print this.' },
  }) satisfies Record<string, Flag>;

interface Command {
  readonly usage: string;
  readonly summary: string;
  readonly flags: Readonly<Record<string, Flag>>;
  readonly outputs: readonly OutputFormat[];
}

export type CommandName = 'lint' | 'routes' | 'diff';

const TABLES = ['human', 'json', 'markdown'] as const;

export const COMMANDS: Readonly<Record<CommandName, Command>> = {
  lint: {
    usage: 'plumbline lint [PATH…] [flags]',
    summary: 'what is wrong with the edge that these files make',
    outputs: OUTPUTS,
    flags: {
      ...READING,
      ...LIVE,
      all: { type: 'boolean', help: 'With --live: findings among objects of the cluster alone, too.' },
      ...GATEWAY,
      'fail-on': {
        type: 'string',
        value: 'SEVERITY',
        help: 'Exit with 1 from this severity on: error, warning, info (error).',
      },
      ...JUDGING,
      ...output(OUTPUTS),
    },
  },
  routes: {
    usage: 'plumbline routes [PATH…] [flags]',
    summary: 'the route table as the edge will serve it, or who serves one request',
    outputs: TABLES,
    flags: {
      ...READING,
      ...LIVE,
      host: { type: 'string', value: 'NAME', help: 'Only what serves this host.' },
      path: { type: 'string', value: '/PATH', help: 'With --host: who serves this request? May hold a query.' },
      method: { type: 'string', value: 'METHOD', help: 'Of that request (GET).' },
      header: {
        type: 'string',
        multiple: true,
        short: 'H',
        value: 'NAME:VALUE',
        help: 'Of that request; may be repeated.',
      },
      scheme: { type: 'string', value: 'SCHEME', help: 'Of that request: https or http (https).' },
      ...GATEWAY,
      ...output(TABLES),
    },
  },
  diff: {
    usage: 'plumbline diff [PATH…] [flags]',
    summary: 'what a working copy would change on the edge of the cluster',
    outputs: TABLES,
    flags: { ...READING, ...CLUSTER, ...GATEWAY, ...JUDGING, ...output(TABLES) },
  },
};

/** Everything that the flags of a command may say; what a command does not know keeps its default. */
export interface Arguments {
  readonly command: CommandName;
  readonly sources: readonly SourceArgument[];
  readonly include: readonly string[];
  readonly exclude: readonly string[];
  readonly namespace: string;
  readonly live: boolean;
  readonly kubeconfig: string | readonly string[];
  readonly context: string | undefined;
  readonly all: boolean;
  /** What was said about the gateway; the rest is for the cluster's EdgePolicy, or the defaults. */
  readonly gateway: Partial<EdgeSettings>;
  readonly failOn: Severity | undefined;
  readonly show: Severity;
  readonly ignore: readonly string[];
  readonly host: string | undefined;
  readonly path: string | undefined;
  readonly method: string;
  readonly headers: ReadonlyMap<string, string>;
  readonly scheme: 'http' | 'https';
  readonly output: OutputFormat;
}

/** A text is to be printed: help, or the version, was asked for. Throws `InvalidUsage`. */
export function readArguments(args: readonly string[], environment: NodeJS.ProcessEnv): Arguments | string {
  const [name = '', ...rest] = args;
  if (name === '' || name === '--help' || name === '-h') return usage();
  if (name === '--version' || name === '-V' || name === 'version') return `plumbline ${about.version}\n`;
  if (name === 'help') return rest[0] === undefined ? usage() : commandUsage(commandNamed(rest[0]));
  const command = commandNamed(name);
  const { values, positionals } = parse(command, rest);
  if (values['help']) return commandUsage(command);
  return read(command, values, positionals, environment);
}

type Values = Readonly<Record<string, string | boolean | (string | boolean)[] | undefined>>;

function parse(command: CommandName, args: readonly string[]): { values: Values; positionals: string[] } {
  try {
    const { flags } = COMMANDS[command];
    return parseArgs({ args: [...args], options: flags, allowPositionals: true, strict: true });
  } catch (error) {
    // Node adds advice about positional arguments that starts with a new sentence.
    throw wrong((error as Error).message.split('. ')[0]!, command);
  }
}

function read(
  command: CommandName,
  values: Values,
  positionals: readonly string[],
  environment: NodeJS.ProcessEnv,
): Arguments {
  refuseEmpty(values, command);
  refuseIdle(values, command);
  const text = (flag: string) => values[flag] as string | undefined;
  const list = (flag: string) => (values[flag] as string[] | undefined) ?? [];
  const oneOf = <T extends string>(flag: string, allowed: readonly T[], fallback: T): T => {
    const value = text(flag) ?? fallback;
    const found = allowed.find((choice) => choice === value);
    if (found !== undefined) return found;
    throw wrong(`--${flag} ${value}: must be one of ${allowed.join(', ')}`, command);
  };
  const live = values['live'] === true || command === 'diff';
  const named = list('source').map((argument) => namedSource(argument, command));
  const sources = [...named, ...positionals.map((path) => ({ name: undefined, path }))];
  refuseTwice(sources, command);
  if (sources.length === 0 && !(live && command === 'routes')) sources.push({ name: undefined, path: '.' });
  const request = readRequest(command, { host: text('host'), path: text('path'), headers: list('header') });
  return {
    command,
    sources,
    include: list('include'),
    exclude: list('exclude'),
    namespace: text('namespace') ?? 'default',
    live,
    kubeconfig: text('kubeconfig') ?? defaultKubeconfig(environment),
    context: text('context'),
    all: values['all'] === true,
    gateway: gateway(text, command),
    failOn: text('fail-on') === undefined ? undefined : oneOf('fail-on', SEVERITIES, 'error'),
    show: oneOf('show', SEVERITIES, 'warning'),
    ignore: list('ignore')
      .flatMap((rules) => rules.split(','))
      .map((rule) => rule.trim())
      .filter((rule) => rule !== ''),
    ...request,
    method: (text('method') ?? 'GET').toUpperCase(),
    scheme: oneOf('scheme', ['https', 'http'], 'https'),
    output: oneOf('output', COMMANDS[command].outputs, 'human'),
  };
}

function refuseEmpty(values: Values, command: CommandName): void {
  for (const [flag, value] of Object.entries(values)) {
    if ([value].flat().includes('')) throw wrong(`--${flag}: must not be empty`, command);
  }
}

/** Flags that say nothing without another one: whoever gives them expects something else to happen. */
const NEEDS: Readonly<Record<string, string>> = {
  kubeconfig: 'live',
  context: 'live',
  all: 'live',
  path: 'host',
  method: 'path',
  header: 'path',
  scheme: 'path',
};

function refuseIdle(values: Values, command: CommandName): void {
  for (const [flag, needed] of Object.entries(NEEDS)) {
    if (values[flag] === undefined || values[needed] !== undefined) continue;
    if (Object.hasOwn(COMMANDS[command].flags, needed)) throw wrong(`--${flag} needs --${needed}`, command);
  }
}

/** What is read twice collides with itself. */
function refuseTwice(sources: readonly SourceArgument[], command: CommandName): void {
  const seen: SourceArgument[] = [];
  for (const source of sources) {
    const twin = seen.find(({ name }) => name !== undefined && name === source.name);
    if (twin) throw wrong(`--source ${source.name}: given twice, and a source has one folder`, command);
    const within = seen.find(({ path }) => overlap(path, source.path));
    if (within) throw wrong(`${within.path} and ${source.path} overlap: their files would be read twice`, command);
    seen.push(source);
  }
}

function overlap(a: string, b: string): boolean {
  if (a === STDIN || b === STDIN) return a === b;
  const [one, other] = [resolve(a), resolve(b)].map((path) => (path.endsWith(sep) ? path : path + sep));
  return one!.startsWith(other!) || other!.startsWith(one!);
}

function namedSource(argument: string, command: CommandName): SourceArgument {
  const equals = argument.indexOf('=');
  if (equals < 1 || equals === argument.length - 1) throw wrong(`--source ${argument}: must be NAME=PATH`, command);
  return { name: argument.slice(0, equals), path: argument.slice(equals + 1) };
}

function readRequest(
  command: CommandName,
  { host, path, headers }: { host: string | undefined; path: string | undefined; headers: readonly string[] },
): Pick<Arguments, 'host' | 'path' | 'headers'> {
  if (path !== undefined && !path.startsWith('/')) throw wrong(`--path ${path}: must start with /`, command);
  const pairs = headers.map((header): [string, string] => {
    const colon = header.indexOf(':', 1);
    if (colon < 0) throw wrong(`--header ${header}: must be NAME:VALUE`, command);
    return [header.slice(0, colon).trim().toLowerCase(), header.slice(colon + 1).trim()];
  });
  return { host, path, headers: new Map(pairs) };
}

function gateway(text: (flag: string) => string | undefined, command: CommandName): Partial<EdgeSettings> {
  const version = text('emissary-version');
  const ambassadorId = text('ambassador-id');
  const namespace = text('emissary-namespace');
  return {
    ...(version !== undefined && { version: wholeVersion(version, command) }),
    ...(ambassadorId !== undefined && { ambassadorId }),
    ...(namespace !== undefined && { namespace }),
  };
}

/** `4`, `4.1` and `v4.1.0` are all fine. */
function wholeVersion(version: string, command: CommandName): string {
  const parts = /^v?(\d{1,4})(?:\.(\d{1,4}))?(?:\.(\d{1,4}))?$/.exec(version);
  if (!parts) throw wrong(`--emissary-version ${version}: must be a version such as 3.9.1`, command);
  return parts
    .slice(1)
    .map((part) => part ?? '0')
    .join('.');
}

/** As kubectl finds it: several files are read together. */
function defaultKubeconfig(environment: NodeJS.ProcessEnv): readonly string[] {
  const named = (environment['KUBECONFIG'] ?? '').split(delimiter).filter((path) => path !== '');
  return named.length > 0 ? named : [join(homedir(), '.kube', 'config')];
}

function commandNamed(name: string): CommandName {
  if (Object.hasOwn(COMMANDS, name)) return name as CommandName;
  throw wrong(`unknown command ${name}`);
}

function wrong(message: string, command?: CommandName): TerminalError {
  return new TerminalError('InvalidUsage', `${message} (see plumbline help${command ? ` ${command}` : ''})`);
}

const EXIT_CODES =
  'PATH is a folder, a file, or - for what comes in by stdin; . when left out.\n' +
  'exit codes: 0 nothing, 1 findings or differences, 2 errors (usage, unreadable files, no objects, no cluster)';

function usage(): string {
  const lines = Object.entries(COMMANDS).map(([name, { summary }]) => `  ${name.padEnd(8)}${summary}`);
  return `plumbline COMMAND [PATH…] [flags]: what the policies of all teams do to the edge.\n\n${lines.join('\n')}\n  help    COMMAND: its flags\n  version the version of plumbline; also --version\n\n${EXIT_CODES}\n`;
}

function commandUsage(command: CommandName): string {
  const { usage: form, summary, flags } = COMMANDS[command];
  const lines = Object.entries(flags).map(([name, { short, value, help }]) => {
    const flag = `${short ? `-${short}, ` : '    '}--${name}${value ? ` ${value}` : ''}`;
    return `  ${flag.padEnd(32)}${help}`;
  });
  return `${form}: ${summary}\n\n${lines.join('\n')}\n\n${EXIT_CODES}\n`;
}
