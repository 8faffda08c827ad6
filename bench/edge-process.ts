// Judges an edge in a process of its own, whose memory is that of the judgement: edge-process.ts <mappings> <rounds> → one line of JSON.
import { readFileSync } from 'node:fs';
import { assumedSecret, judge } from '../src/cli/judgement.ts';
import { DEFAULT_GUARD } from '../src/edge/guard.ts';
import { DEFAULT_EDGE_SETTINGS } from '../src/edge/input.ts';
import { changed, edgeObjects } from './edge-objects.ts';

/** What the process says; times in milliseconds, memory in MB (10^6 bytes). */
export interface EdgeFigures {
  /** The first judgement of all objects, by the clock and by the processor. */
  first: number;
  firstProcessor: number;
  /** The same of objects never seen before, once the code is warm, as in an operator that runs. */
  warm: number;
  warmProcessor: number;
  changes: number[];
  changesProcessor: number[];
  /** Resident before anything is judged (Node, the code, the objects), at most in the first judgement, and at most. */
  before: number;
  judged: number;
  peak: number;
  /** What a fixed loop takes before and after, by the processor: tells a slow machine from slow code. */
  loop: number[];
  findings: number;
}

const options = { settings: DEFAULT_EDGE_SETTINGS, guard: DEFAULT_GUARD, secret: assumedSecret, complete: false };

function measure(mappings: number, rounds: number): EdgeFigures {
  loop();
  const loopBefore = loop();
  const objects = edgeObjects(mappings);
  const before = resident('VmRSS');
  let findings = 0;
  const timed = (judged = objects) => {
    const [start, processor] = [performance.now(), process.cpuUsage()];
    findings = judge(judged, options).findings.length;
    const { user, system } = process.cpuUsage(processor);
    return { clock: performance.now() - start, processor: (user + system) / 1000 };
  };
  const first = timed();
  const judged = resident('VmHWM');
  const changes = Array.from({ length: rounds }, (_, round) => {
    const at = objects.length - 1 - ((round * 37) % mappings);
    objects[at] = changed(objects[at]!, round);
    return timed();
  });
  const peak = resident('VmHWM');
  const warm = timed(edgeObjects(mappings));
  return {
    first: first.clock,
    firstProcessor: first.processor,
    warm: warm.clock,
    warmProcessor: warm.processor,
    changes: changes.map(({ clock }) => clock),
    changesProcessor: changes.map(({ processor }) => processor),
    before,
    judged,
    peak,
    loop: [loopBefore, loop()],
    findings,
  };
}

function loop(): number {
  const before = process.threadCpuUsage();
  let sum = 0;
  for (let i = 0; i < 5e7; i++) sum = (sum * 31 + i) | 0;
  const { user, system } = process.threadCpuUsage(before);
  return sum === 0 ? NaN : (user + system) / 1000;
}

function resident(name: 'VmRSS' | 'VmHWM'): number {
  return (
    (Number(new RegExp(`^${name}:\\s*(\\d+) kB`, 'm').exec(readFileSync('/proc/self/status', 'utf8'))?.[1]) * 1024) /
    1e6
  );
}

const [mappings, rounds] = process.argv.slice(2).map(Number) as [number, number];
console.log(JSON.stringify(measure(mappings, rounds)));
