import { keyOf, keyOfMany } from './finding-key.ts';
import type { Finding, Hit, Judged, Party, Rule, Severity, Traffic } from './finding.ts';
import { RULES } from './rules/table.ts';
import { shownSentence, shownText } from './shown.ts';

/**
 * The row for what threw over an object: a bug of ours (see judged-edge.ts). It is a finding like the others, so that it can neither pass unseen nor
 * hold the wrong people: being an error it stops the commit that brings it about, and being known before it stops nobody
 * else. What the other rules find, and what this one found until then, stays.
 */
export const RULE_FAILED: Omit<Rule, 'find'> = {
  id: 'EM000',
  name: 'rule-failed',
  severity: 'error',
  impact: 'protection-lost',
  when: 'The object makes one of the rules below fail, or the working out of what Emissary makes of it.',
  means:
    'What the object does to traffic is not known; the others are judged as if it were not there. It is a bug of Plumbline that the object brings to light.',
  mend: 'Report the message with the object; until it is mended write the object otherwise, or let an EdgePolicy ignore the rule that fails, with the reason.',
};

/** HTTP has fewer. */
const MAX_METHODS = 16;

const RANK: Record<Severity, number> = { error: 0, warning: 1, info: 2 };

/**
 * Everything that is wrong with an edge: errors first, then by rule and key. Rules that the guard ignores are not asked. Of
 * findings with one key the first stays. Never throws (see `RULE_FAILED`).
 */
export function findingsOf(judged: Judged): Finding[] {
  const found = new Map<string, Finding>();
  for (const rule of RULES) {
    if (judged.guard.ignored.has(rule.id)) continue;
    for (const finding of withoutFloods(askOne(rule, judged)))
      if (!found.has(finding.key)) found.set(finding.key, finding);
  }
  return sorted(found.values());
}

/** More of one rule about one object, and nobody else, are told as one. */
const MOST_OF_ONE = 100;

/**
 * Who pushes decides how many values of an object are wrong, and each finding is a hundred times as long as such a value: all of
 * them would take the memory of whoever asked for the judgement.
 */
function withoutFloods(found: Iterable<Finding>): readonly Finding[] {
  const told: Finding[] = [];
  const byObject = new Map<string, { count: number; worst: Finding }>();
  let most = 0;
  for (const one of found) {
    const name = nameOf(one);
    const all = byObject.get(name) ?? { count: 0, worst: one };
    byObject.set(name, all);
    if (isWorse(one, all.worst)) all.worst = one;
    all.count += 1;
    most = Math.max(most, one.other ? 0 : all.count);
    if (one.other || all.count <= MOST_OF_ONE) told.push(one);
  }
  if (most <= MOST_OF_ONE) return told;
  const floods = [...byObject.values()].filter(({ count, worst }) => count > MOST_OF_ONE && !worst.other);
  return [
    ...told.filter((one) => one.other || byObject.get(nameOf(one))!.count <= MOST_OF_ONE),
    ...floods.map(({ count, worst }) => manyOf(worst, count)),
  ];
}

function isWorse(a: Finding, b: Finding): boolean {
  if (a.severity !== b.severity) return RANK[a.severity] < RANK[b.severity];
  return a.impact === 'freeze' && b.impact !== 'freeze';
}

/** Those with another party stay apart. */
function nameOf({ object: { kind, namespace, name, inside = '' }, other }: Finding): string {
  return `${kind} ${namespace}/${name} ${inside}${other ? ' and another' : ''}`;
}

function manyOf(worst: Finding, count: number): Finding {
  return { ...worst, key: keyOfMany(worst), message: `${worst.message}; this is one of ${count} of its kind` };
}

/** Errors first, then by rule and key. */
export function sorted(findings: Iterable<Finding>): Finding[] {
  return [...findings].sort(byWeight);
}

/** The finding that a rule, or the port of the compiler, fails over this object. */
export function failureOver(object: Party, message: string): Finding {
  return finding(RULE_FAILED, { object, message });
}

/** What one rule finds; exported for the tests of the rules. */
export function* askOne(rule: Rule, judged: Judged): Iterable<Finding> {
  try {
    for (const hit of rule.find(judged)) yield finding(rule, hit);
  } catch (error) {
    const message = `${rule.id} ${rule.name} failed: ${error instanceof Error ? error.message : String(error)}`;
    const object = { kind: 'Rule', namespace: '', name: rule.id, origin: { instead: 'not an object' } };
    if (!judged.guard.ignored.has(RULE_FAILED.id)) yield finding(RULE_FAILED, { object, message });
  }
}

function finding({ id, severity, impact, mend }: Omit<Rule, 'find'>, hit: Hit): Finding {
  const traffic = hit.traffic && { traffic: shownTraffic(hit.traffic) };
  return {
    severity,
    impact,
    mend,
    ...hit,
    ...traffic,
    message: shownSentence(hit.message),
    rule: id,
    key: keyOf(id, hit),
  };
}

/** A policy of an annotation can name a host or a path of any length, and as many methods as it likes. */
function shownTraffic({ host, path, methods }: Traffic): Traffic {
  return {
    ...(host !== undefined && { host: shownText(host) }),
    ...(path !== undefined && { path: shownText(path) }),
    ...(methods && { methods: methods.slice(0, MAX_METHODS).map(shownText) }),
  };
}

function byWeight(a: Finding, b: Finding): number {
  if (a.severity !== b.severity) return RANK[a.severity] - RANK[b.severity];
  if (a.rule !== b.rule) return a.rule < b.rule ? -1 : 1;
  return a.key < b.key ? -1 : 1;
}
