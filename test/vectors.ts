import { resolve } from 'node:path';
import { differenceOf, readYamlVectors } from './yaml-vectors.ts';

// npm run vectors -- yaml FILE…
// Prints each case that we answer otherwise than the recorded tool, then `N agree, M differ`; exits 1 if any differs.

const [subcommand, ...files] = process.argv.slice(2);
if (subcommand !== 'yaml' || files.length === 0) {
  console.error('usage: npm run vectors -- yaml FILE…');
  process.exit(2);
}

// npm runs scripts in the project's folder; paths are meant from where the user stands.
const from = process.env['INIT_CWD'] ?? process.cwd();
const cases = files.flatMap((file) => readYamlVectors(resolve(from, file)));
const differences = cases.flatMap((one) => differenceOf(one) ?? []);
for (const { name, kubectl, ours } of differences) {
  console.log(`${name}\n  kubectl: ${kubectl}\n  ours:    ${ours}`);
}
console.log(`${cases.length - differences.length} agree, ${differences.length} differ`);
process.exitCode = differences.length > 0 ? 1 : 0;
