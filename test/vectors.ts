import { parseArgs } from 'node:util';
import { resolve } from 'node:path';
import { EDGE_FIELDS, edgeDifferences, isEdgeVector } from './edge-vectors.ts';
import { casesIn } from './vector-cases.ts';
import { differenceOf, isYamlVector } from './yaml-vectors.ts';

// npm run vectors -- yaml FILE…
// npm run vectors -- edge [--only groups,clusters] FILE…
// Prints each case that we answer otherwise than the recorded tool, then `N agree, M differ`; exits 1 if any differs. What
// cannot be read counts as differing: a check that looks at nothing must not pass.
// `--only` compares just these fields of the compiler's answer.

// A case that differs at its root differs everywhere below: the first places say where to look.
const SHOWN_PLACES = 5;
const SHOWN_LENGTH = 400;

const { values, positionals } = read();
const [subcommand, ...files] = positionals;
if ((subcommand !== 'yaml' && subcommand !== 'edge') || files.length === 0)
  refuse('name what to compare, and its files');
const only = values.only === undefined ? undefined : new Set(values.only.split(','));
for (const field of only ?? [])
  if (!EDGE_FIELDS.has(field)) refuse(`--only ${field}: must be one of ${[...EDGE_FIELDS].join(', ')}`);

function read() {
  try {
    return parseArgs({ allowPositionals: true, options: { only: { type: 'string' } } });
  } catch (error) {
    return refuse((error as Error).message);
  }
}

function refuse(why: string): never {
  console.error(
    `${why}\nusage: npm run vectors -- yaml FILE…\n       npm run vectors -- edge [--only groups,clusters] FILE…`,
  );
  process.exit(2);
}

// npm runs scripts in the project's folder; paths are meant from where the user stands.
const from = process.env['INIT_CWD'] ?? process.cwd();
const paths = files.map((file) => resolve(from, file));
const answerTo = subcommand === 'yaml' ? yamlAnswer : edgeAnswer;
let agree = 0;
let differ = 0;
for (const one of paths.flatMap((path) => [...casesIn(path)])) {
  const difference = 'problem' in one ? one.problem : attempt(() => answerTo(one.value));
  if (difference === undefined) {
    agree++;
  } else {
    differ++;
    console.log(`${one.where} ${difference}`);
  }
}
console.log(`${agree} agree, ${differ} differ`);
process.exitCode = differ > 0 ? 1 : 0;

/** Code of ours that throws answers otherwise, too. */
function attempt(answer: () => string | undefined): string | undefined {
  try {
    return answer();
  } catch (error) {
    return `threw ${error instanceof Error ? error.stack : String(error)}`;
  }
}

/** Nothing, or what differs. */
function yamlAnswer(value: unknown): string | undefined {
  if (!isYamlVector(value)) return 'is no case: it needs name, yaml and kubectl with objects or error';
  const difference = differenceOf(value);
  return difference && `${difference.name}\n  kubectl: ${difference.kubectl}\n  ours:    ${difference.ours}`;
}

function edgeAnswer(value: unknown): string | undefined {
  if (!isEdgeVector(value)) return 'is no case: it needs id, env, objects and observed';
  const places = edgeDifferences(value, only).map(
    ({ path, upstream, ours }) => `  ${path}\n    upstream: ${shown(upstream)}\n    ours:     ${shown(ours)}`,
  );
  const more = places.length > SHOWN_PLACES ? [`  … and ${places.length - SHOWN_PLACES} more places`] : [];
  const name = `${value.id} ${value.title ?? value.profile ?? ''}`.trim();
  return places.length === 0 ? undefined : [name, ...places.slice(0, SHOWN_PLACES), ...more].join('\n');
}

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > SHOWN_LENGTH ? `${text.slice(0, SHOWN_LENGTH)}…` : text;
}
