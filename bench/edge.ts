import { mkdirSync, mkdtempDisposableSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { bundle } from '../src/build.ts';
import { LAUNCHED, OPERATOR_ENVIRONMENT, OPERATOR_FLAGS } from '../src/relaunch.ts';
import type { BenchOptions } from './bed.ts';
import { Child } from './child-process.ts';
import { edgeFiles, edgeObjects } from './edge-objects.ts';
import type { EdgeFigures } from './edge-process.ts';
import { distribution, figure } from './table.ts';

const MAPPINGS = 10_000;
const CHANGES = 50;

/**
 * What a judgement of 10,000 Mappings over 300 Hosts costs in the gate's thread, in a process started as the operator is, what a
 * change of one of them, and `plumbline lint` on their files.
 */
export async function edge({ report, rounds }: BenchOptions): Promise<void> {
  using temporary = mkdtempDisposableSync(join(tmpdir(), 'plumbline-bench-'));
  // As it ships: Node takes some thirty megabytes to read TypeScript.
  const dist = join(temporary.path, 'dist');
  await bundle(dist, { 'edge-process': 'bench/edge-process.ts', 'edge-thread': 'src/gate/thread.ts' });
  for (let round = 0; round < rounds; round++) {
    const args = [...OPERATOR_FLAGS, join(dist, 'edge-process.js'), String(MAPPINGS), String(CHANGES)];
    const figures = JSON.parse(await outputOf(args, { ...OPERATOR_ENVIRONMENT, [LAUNCHED]: '1' })) as EdgeFigures;
    const row = (metric: string, value: number, unit: string) => report(figure('edge', metric, MAPPINGS, value, unit));
    row('judged, first in its thread', figures.first, 'ms');
    row('judged, first in its thread, CPU', figures.firstProcessor, 'ms');
    row('judged anew, warm', figures.warm, 'ms');
    row('judged anew, warm, CPU', figures.warmProcessor, 'ms');
    report(distribution('edge', 'judged anew, warm, the judge alone', figures.alone, 'ms'));
    report(distribution('edge', 'one Mapping changed', figures.changes, 'ms'));
    report(distribution('edge', 'one Mapping changed, CPU', figures.changesProcessor, 'ms'));
    row('process before it judges', figures.before, 'MB');
    row('process after the first judgement', figures.judged, 'MB');
    row('process at most', figures.peak, 'MB');
    report(distribution('edge', 'a fixed loop, CPU: the speed of the machine meanwhile', figures.loop, 'ms'));
  }
  await lint(report, temporary.path);
}

async function lint(report: BenchOptions['report'], place: string): Promise<void> {
  const [dist, folder] = [join(place, 'command-line'), join(place, 'config')];
  await bundle(dist);
  for (const [name, content] of edgeFiles(edgeObjects(MAPPINGS))) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), content);
  }
  // The process tells its own memory as it ends: afterwards nobody can ask.
  const tell = `process.on('exit', () => process.stderr.write('PEAK ' + process.resourceUsage().maxRSS * 1024 / 1e6))`;
  const start = performance.now();
  const output = await outputOf([
    '--import',
    `data:text/javascript,${tell}`,
    join(dist, 'plumbline.js'),
    'lint',
    folder,
  ]);
  const ms = performance.now() - start;
  report(figure('edge', 'plumbline lint, one file each', MAPPINGS, ms, 'ms'));
  report(figure('edge', 'plumbline lint, memory at most', MAPPINGS, Number(/PEAK ([\d.]+)/.exec(output)?.[1]), 'MB'));
}

async function outputOf(args: string[], environment: Readonly<Record<string, string>> = {}): Promise<string> {
  await using child = new Child(() => ({ file: process.execPath, args, env: { ...process.env, ...environment } }));
  await child.ended();
  return child.output;
}
