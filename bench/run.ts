// `npm run bench -- NAME… [--json]`: runs benchmarks one after the other; docs/benchmarks.md says what each measures.
import { parseArgs } from 'node:util';
import { apply } from './apply.ts';
import type { BenchOptions } from './bed.ts';
import { drift } from './drift.ts';
import { driftKinds } from './drift-kinds.ts';
import { edge } from './edge.ts';
import { memory } from './memory.ts';
import { prevent } from './prevent.ts';
import { push } from './push.ts';
import { rest } from './rest.ts';
import { restart } from './restart.ts';
import { SCALE } from './scale.ts';
import { table, type Row } from './table.ts';

const BENCHES: Readonly<Record<string, (options: BenchOptions) => Promise<unknown>>> = {
  rest,
  restart,
  drift,
  'drift-kinds': driftKinds,
  prevent,
  apply,
  push,
  memory,
  edge,
};

/** Names that stand for several. */
const GROUPS: Readonly<Record<string, readonly string[]>> = {
  all: Object.keys(BENCHES),
  scale: [...Object.keys(SCALE), 'memory'],
};

const RUNNABLE = { ...BENCHES, ...SCALE };

const USAGE = `npm run bench -- NAME… [flags]
names: ${Object.keys(BENCHES).join(', ')}, or all of these: all
       ${Object.keys(SCALE).join(', ')}, or all of these and memory: scale
flags:
  --json            one JSON object a line instead of a table
  --objects N       managed objects (1000); scale goes to ten times as many
  --rounds N        rounds of apply, restart and scale, after one to warm up (3)
  --samples N       edits of drift (200), pushes of push (20)
  --seconds N       how long rest looks on (300)
  --interval TIME   of the source that push leaves to polling (1s)
  --profile DIR     leaves CPU profiles of the operator there`;

const FLAGS = {
  json: { type: 'boolean', default: false },
  objects: { type: 'string', default: '1000' },
  rounds: { type: 'string', default: '3' },
  samples: { type: 'string' },
  seconds: { type: 'string', default: '300' },
  interval: { type: 'string', default: '1s' },
  profile: { type: 'string' },
  help: { type: 'boolean', default: false },
} as const;

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({ options: FLAGS, allowPositionals: true });
  const names = positionals.flatMap((name) => (Object.hasOwn(GROUPS, name) ? GROUPS[name]! : [name]));
  const unknown = names.filter((name) => !Object.hasOwn(RUNNABLE, name));
  if (values.help || names.length === 0 || unknown.length > 0) {
    if (unknown.length > 0) console.error(`unknown: ${unknown.join(', ')}`);
    console.error(USAGE);
    process.exit(values.help ? 0 : 1);
  }
  const rows: Row[] = [];
  const options: BenchOptions = {
    objects: whole('objects', values.objects),
    rounds: whole('rounds', values.rounds),
    samples: values.samples === undefined ? undefined : whole('samples', values.samples),
    seconds: whole('seconds', values.seconds),
    interval: values.interval,
    profileDir: values.profile,
    report: (row) => {
      rows.push(row);
      if (values.json) console.log(JSON.stringify(row));
    },
    tell: (line) => console.error(line),
  };
  for (const name of names) await RUNNABLE[name]!(options);
  if (!values.json) console.log(table(rows));
}

function whole(name: string, text: string): number {
  const number = Number(text);
  if (Number.isInteger(number) && number > 0) return number;
  throw new Error(`--${name}=${text}: must be a whole number above 0`);
}

// Children are ended when this process exits, and only then does it exit at once.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));
try {
  await main();
  process.exit(0);
} catch (error) {
  console.error(error instanceof Error ? (error.stack ?? error.message) : error);
  process.exit(1);
}
