import { keyOfMany } from './finding-key.ts';
import type { Finding, Party, Severity } from './finding.ts';
import { describe } from './party.ts';

/** What is known about the edge at one moment, real or imagined. */
export interface Judgement {
  readonly findings: readonly Finding[];
  /** The compiler itself would fail; the findings are about what it would make of the objects that it does not fail over. */
  readonly frozen: boolean;
}

/** How findings name an object. */
type Named = Pick<Party, 'kind' | 'namespace' | 'name'>;

export interface Question<T extends Named = Named> {
  /** As it is, without the candidate. */
  readonly before: Judgement;
  /** With the candidate applied and pruned. */
  readonly after: Judgement;
  /** With the candidate applied and not yet pruned; absent when nothing will be pruned. */
  readonly moment?: Judgement | undefined;
  /** What will be pruned, of the objects that matter to the edge. */
  readonly pruned: readonly T[];
  /** Who asks: `namespace/name` of the sources. */
  readonly sources: readonly string[];
  /** The least that stops the candidate; `freeze`: only what keeps the whole gateway from taking any configuration. */
  readonly threshold: Severity | 'freeze';
}

export type Verdict<T extends Named = Named> =
  /** `first`: what must be deleted before anything is applied, because the moment in between would be bad; else nothing. */
  | { readonly kind: 'passed'; readonly first: readonly T[] }
  /** By these findings, which the candidate brings about. */
  | { readonly kind: 'blocked'; readonly by: readonly Finding[] };

const RANK: Readonly<Record<Severity, number>> = { info: 0, warning: 1, error: 2 };

/** At least as bad. */
export function isAsBad(severity: Severity, as: Severity): boolean {
  return RANK[severity] >= RANK[as];
}

/**
 * Whether a candidate may be applied. Only trouble that it brings about stops it: what was wrong before is told, and holds up
 * nobody who did not cause it.
 */
export function verdictOf<T extends Named>(question: Question<T>): Verdict<T> {
  const { after, moment, pruned } = question;
  const by = newTrouble(question, after);
  if (by.length > 0) return { kind: 'blocked', by };
  const between = moment ? newTrouble(question, moment) : [];
  if (between.length === 0) return { kind: 'passed', first: [] };
  const first = involvedIn(between, pruned);
  // What is pruned is all that is different in that moment, also where no finding names it.
  return { kind: 'passed', first: first.length > 0 ? first : pruned };
}

function newTrouble({ before, threshold, sources, pruned }: Question, after: Judgement): Finding[] {
  const taken = new Set(pruned.map(nameOf));
  const trespassers = trespassersIn(before, sources);
  const known = new Map(before.findings.map((finding) => [finding.key, finding]));
  // A commit that ends a freeze brings to light what the freeze had hidden; that is not its doing, but of its own objects.
  const endsFreeze = before.frozen && !after.frozen;
  return after.findings.filter((finding) => {
    // Who mends one of very many is not stopped because the others are told one by one then.
    const was = known.get(finding.key) ?? (finding.other ? undefined : known.get(keyOfMany(finding)));
    const isOld = was !== undefined && isNoBetter(was, finding);
    // Only from its own objects: else anybody could keep others from deleting what he relies on.
    const isOwn = sources.includes(finding.object.origin.source ?? '');
    const isParty = isOwn || sources.includes(finding.other?.origin.source ?? '');
    const least = endsFreeze && !isParty ? 'freeze' : threshold;
    const takesAway = isOwn && finding.missing !== undefined && taken.has(nameOf(finding.missing));
    const isStop = stops(finding, least) || (takesAway && least !== 'freeze');
    const isOthers = finding.stopsParties === true && !isParty;
    return !isOld && isStop && !isOthers && !isDoneBy(trespassers, finding);
  });
}

function isNoBetter(was: Finding, than: Finding): boolean {
  return isAsBad(was.severity, than.severity) && (was.degree ?? 0) >= (than.degree ?? 0);
}

/** Findings that somebody claims what an EdgePolicy gives to others, or to nobody. */
const TRESPASS: ReadonlySet<string> = new Set(['EM100', 'EM101']);

/** Other people's objects that claimed before what they have no grant for. */
function trespassersIn({ findings }: Judgement, sources: readonly string[]): ReadonlySet<string> {
  const found = new Set<string>();
  for (const { rule, object } of findings) {
    const { source } = object.origin;
    if (TRESPASS.has(rule) && (source === undefined || !sources.includes(source))) found.add(nameOf(object));
  }
  return found;
}

/**
 * What a trespasser does to those who keep to their grants is told, and stops nobody but him: else an object made by hand
 * would keep the holder of a grant from using it.
 */
function isDoneBy(trespassers: ReadonlySet<string>, { object, other, impact }: Finding): boolean {
  if (trespassers.size === 0 || !other || impact === 'freeze') return false;
  return trespassers.has(nameOf(object)) !== trespassers.has(nameOf(other));
}

function stops({ severity, impact }: Finding, threshold: Question['threshold']): boolean {
  if (impact === 'freeze' && severity === 'error') return true;
  return threshold !== 'freeze' && isAsBad(severity, threshold);
}

/** Which of the objects the findings are about. */
export function involvedIn<T extends Named>(findings: readonly Finding[], objects: readonly T[]): T[] {
  const involved = new Set(findings.flatMap(partiesOf));
  return objects.filter((object) => involved.has(nameOf(object)));
}

function partiesOf({ object, other }: Finding): string[] {
  return [object, other].flatMap((party) => (party ? [nameOf(party), party.inside ?? ''] : []));
}

/** As `Party.inside` names an object. */
function nameOf({ kind, namespace, name }: Named): string {
  return `${kind} ${namespace}/${name}`;
}

/** For people: `EM010 Mapping shop/web (web.yaml:3): …; the other one is Mapping blog/web (site.yaml:9 of blog/app). Mend: …` */
export function sayFinding({ rule, object, other, message, mend }: Finding, source?: string): string {
  const theOther = other ? `; the other one is ${sayParty(other, source)}` : '';
  return `${rule} ${sayParty(object, source)}: ${message}${theOther}. ${mend}`;
}

/** `source`: the reader's own, which needs no naming. */
function sayParty(party: Party, source: string | undefined): string {
  const { file, line, source: owner } = party.origin;
  const at = file === undefined ? '' : `${file}${line === undefined ? '' : `:${line}`}`;
  const of = owner === undefined || owner === source ? '' : `the source ${owner}`;
  const where = [at, of].filter(Boolean).join(' of ') || (owner === undefined ? 'not in Git' : '');
  return `${describe(party)}${where && ` (${where})`}`;
}
