import { parseArgs } from 'node:util';
import { resolve } from 'node:path';
import { edgeDifferences, readEdgeVectors, type EdgeDifference, type EdgeVector } from './edge-vectors.ts';
import { differenceOf, readYamlVectors } from './yaml-vectors.ts';

// npm run vectors -- yaml FILE…
// npm run vectors -- edge [--only groups,clusters] FILE…
// Prints each case that we answer otherwise than the recorded tool, then `N agree, M differ`; exits 1 if any differs.
// `--only` compares just these fields of the compiler's answer.

// A case that differs at its root differs everywhere below: the first places say where to look.
const SHOWN_PLACES = 5;
const SHOWN_LENGTH = 400;

const { values, positionals } = parseArgs({ allowPositionals: true, options: { only: { type: 'string' } } });
const [subcommand, ...files] = positionals;
if ((subcommand !== 'yaml' && subcommand !== 'edge') || files.length === 0) {
  console.error('usage: npm run vectors -- yaml FILE…\n       npm run vectors -- edge [--only groups,clusters] FILE…');
  process.exit(2);
}
// npm runs scripts in the project's folder; paths are meant from where the user stands.
const from = process.env['INIT_CWD'] ?? process.cwd();
const paths = files.map((file) => resolve(from, file));
const answers = subcommand === 'yaml' ? yamlAnswers(paths) : edgeAnswers(paths);
let agree = 0;
let differ = 0;
for (const difference of answers) {
  if (difference === undefined) {
    agree++;
  } else {
    differ++;
    console.log(difference);
  }
}
console.log(`${agree} agree, ${differ} differ`);
process.exitCode = differ > 0 ? 1 : 0;

/** For each case nothing, or what differs. */
function* yamlAnswers(paths: string[]): Iterable<string | undefined> {
  for (const one of paths.flatMap(readYamlVectors)) {
    const difference = differenceOf(one);
    yield difference && `${difference.name}\n  kubectl: ${difference.kubectl}\n  ours:    ${difference.ours}`;
  }
}

function* edgeAnswers(paths: string[]): Iterable<string | undefined> {
  const only = values.only === undefined ? undefined : new Set(values.only.split(','));
  for (const one of paths.flatMap(readEdgeVectors)) {
    const places = differencesOf(one, only).map(
      ({ path, upstream, ours }) => `  ${path}\n    upstream: ${shown(upstream)}\n    ours:     ${shown(ours)}`,
    );
    const more = places.length > SHOWN_PLACES ? [`  … and ${places.length - SHOWN_PLACES} more places`] : [];
    const name = `${one.id} ${one.title ?? one.profile ?? ''}`.trim();
    yield places.length === 0 ? undefined : [name, ...places.slice(0, SHOWN_PLACES), ...more].join('\n');
  }
}

/** A compiler of ours that throws answers otherwise, too. */
function differencesOf(one: EdgeVector, only: ReadonlySet<string> | undefined): EdgeDifference[] {
  try {
    return edgeDifferences(one, only);
  } catch (error) {
    return [{ path: 'threw', upstream: undefined, ours: error instanceof Error ? error.stack : error }];
  }
}

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > SHOWN_LENGTH ? `${text.slice(0, SHOWN_LENGTH)}…` : text;
}
