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
    for (const finding of askOne(rule, judged)) if (!found.has(finding.key)) found.set(finding.key, finding);
  }
  return sorted(found.values());
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
    const object = { kind: 'Rule', namespace: '', name: rule.id, origin: {} };
    if (!judged.guard.ignored.has(RULE_FAILED.id)) yield finding(RULE_FAILED, { object, message });
  }
}

function finding({ id, severity, impact, mend }: Omit<Rule, 'find'>, hit: Hit): Finding {
  const other = hit.other && !hit.otherMayChange ? identityOf(hit.other) : [];
  const object = hit.objectMayChange ? [] : identityOf(hit.object);
  const key = JSON.stringify([id, ...object, ...other, hit.detail]);
  const traffic = hit.traffic && { traffic: shownTraffic(hit.traffic) };
  return { severity, impact, mend, ...hit, ...traffic, message: shownSentence(hit.message), rule: id, key };
}

/** A policy of an annotation can name a host or a path of any length, and as many methods as it likes. */
function shownTraffic({ host, path, methods }: Traffic): Traffic {
  return {
    ...(host !== undefined && { host: shownText(host) }),
    ...(path !== undefined && { path: shownText(path) }),
    ...(methods && { methods: methods.slice(0, MAX_METHODS).map(shownText) }),
  };
}

/** As JSON the parts stay apart, whatever names an annotation makes up: no finding can pass for another, older one. */
function identityOf({ kind, namespace, name, inside }: Party): unknown[] {
  return [kind, namespace, name, inside];
}

function byWeight(a: Finding, b: Finding): number {
  if (a.severity !== b.severity) return RANK[a.severity] - RANK[b.severity];
  if (a.rule !== b.rule) return a.rule < b.rule ? -1 : 1;
  return a.key < b.key ? -1 : 1;
}
