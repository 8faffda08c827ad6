import type { Finding } from '../edge/finding.ts';
import { isAsBad } from '../edge/verdict.ts';
import type { Arguments } from './arguments.ts';
import { judge, type Judgement } from './judgement.ts';
import { tempered } from './partial-view.ts';
import type { Report } from './report.ts';
import { gatherScene, type Scene } from './scene.ts';
import { plural } from '../plural.ts';

/** A report, and whether anything in it is bad enough to fail. */
export interface LintResult {
  readonly report: Report;
  readonly failed: boolean;
}

/** `plumbline lint`: what is wrong with the edge that the files make, offline or on top of a cluster. */
export async function lint(args: Arguments): Promise<LintResult> {
  const scene = await gatherScene(args);
  const judgement = judge(scene.objects, optionsOf(scene));
  const { kept, elsewhere } = concerned(scene, judgement, args.all);
  const notes =
    elsewhere > 0
      ? [`${plural(elsewhere, 'finding')} of the cluster that these files have no part in; --all shows them`]
      : [];
  return {
    report: reportOf(kept, scene, args, notes),
    failed: kept.some(({ severity }) => isAsBad(severity, scene.gateway.failOn)),
  };
}

export function optionsOf({ gateway, secret, complete }: Scene) {
  return { settings: gateway.settings, guard: gateway.guard, secret, complete };
}

export function reportOf(findings: readonly Finding[], scene: Scene, args: Arguments, notes: string[] = []): Report {
  const shown = findings.filter(({ severity }) => isAsBad(severity, args.show));
  const hidden = findings.length - shown.length;
  return { findings: shown, hidden, problems: scene.problems, notes: [...scene.notes(), ...notes] };
}

/** On top of a cluster: what the files take part in, and what they bring about without taking part. */
function concerned(scene: Scene, judgement: Judgement, all: boolean): { kept: readonly Finding[]; elsewhere: number } {
  if (!scene.before) return { kept: tempered(judgement), elsewhere: 0 };
  if (all) return { kept: judgement.findings, elsewhere: 0 };
  const known = new Set(judge(scene.before, optionsOf(scene)).findings.map(({ key }) => key));
  const kept = judgement.findings.filter((finding) => !known.has(finding.key) || takesPart(finding));
  return { kept, elsewhere: judgement.findings.length - kept.length };
}

/** Only what is read from files has one. */
function takesPart({ object, other }: Finding): boolean {
  return object.origin.file !== undefined || other?.origin.file !== undefined;
}
