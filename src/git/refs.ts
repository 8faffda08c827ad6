import { parse, Range, validRange, type SemVer } from 'semver';
import type { RefQuery } from './address.ts';
import { gitError } from './errors.ts';
import { limitExceeded, MAX_TAGS } from './limits.ts';
import type { Tip } from './remote.ts';

/** One line of a server's list of refs. `peeled` is what an annotated tag finally points to. */
export interface ServerRef {
  name: string;
  oid: string;
  peeled?: string;
}

/** Is told of the refs of a server one by one: who pushes decides how many there are, and no list of them is kept. */
export interface RefSink {
  take(ref: ServerRef): void;
}

/** A question that only a server can answer. */
export type AskedRef = Exclude<RefQuery, { kind: 'commit' }>;

const TAGS = 'refs/tags/';

/** The prefix by which a server is asked for what the query may need. */
export function refPrefix(query: AskedRef): string {
  return query.kind === 'semver' ? TAGS : query.ref;
}

/** Which commits many queries mean, found in one pass over the refs of a server, each tag read once. */
export class TipSearch implements RefSink {
  /** Refs so far. */
  count = 0;
  #tags = 0;
  readonly #refs = new Map<string, ServerRef | undefined>();
  readonly #ranges = new Map<string, { range: Range; best?: Version }>();

  constructor(queries: Iterable<AskedRef>) {
    for (const query of queries) {
      if (query.kind === 'ref') this.#refs.set(query.ref, undefined);
      else if (validRange(query.range) !== null) this.#ranges.set(query.range, { range: new Range(query.range) });
    }
  }

  take(ref: ServerRef): void {
    this.count += 1;
    if (this.#refs.has(ref.name)) this.#refs.set(ref.name, this.#refs.get(ref.name) ?? ref);
    if (this.#ranges.size > 0 && ref.name.startsWith(TAGS)) this.#takeTag(ref);
  }

  #takeTag(ref: ServerRef): void {
    this.#tags += 1;
    if (this.#tags > MAX_TAGS) return;
    const short = ref.name.slice(TAGS.length);
    const version = parse(short);
    if (!version) return;
    for (const wanted of this.#ranges.values()) {
      if (!wanted.range.test(version)) continue;
      // `v1.2.0` and `1.2.0` are the same version: the name decides, so that the answer never flips.
      const order = wanted.best ? version.compare(wanted.best.version) || (short < wanted.best.short ? 1 : -1) : 1;
      if (order > 0) wanted.best = { ref, short, version };
    }
  }

  /** What one of the queries means. Throws RefNotFound, InvalidRef, GitLimitExceeded. */
  tip(query: AskedRef): Tip {
    if (query.kind === 'semver') return this.#version(query.range);
    const found = this.#refs.get(query.ref);
    if (!found) throw gitError('RefNotFound', `the repository has no ${describeRef(query.ref)}`);
    return tipOf(found, query.short);
  }

  #version(range: string): Tip {
    const wanted = this.#ranges.get(range);
    if (!wanted) throw gitError('InvalidRef', 'ref.semver is not a range such as `>=1.2.0 <2`');
    if (this.#tags > MAX_TAGS)
      throw limitExceeded('tags', `the repository has ${this.#tags} tags, more than are searched for a version`);
    if (!wanted.best) throw gitError('RefNotFound', `the repository has no tag that matches semver ${range}`);
    return tipOf(wanted.best.ref, wanted.best.short);
  }
}

interface Version {
  ref: ServerRef;
  short: string;
  version: SemVer;
}

function tipOf({ name, oid, peeled }: ServerRef, short: string): Tip {
  const commit = peeled ?? oid;
  return { commit, ref: name, revision: `${short}@sha1:${commit}` };
}

export function describeRef(ref: string): string {
  if (ref.startsWith('refs/heads/')) return `branch ${ref.slice('refs/heads/'.length)}`;
  if (ref.startsWith('refs/tags/')) return `tag ${ref.slice('refs/tags/'.length)}`;
  return `ref ${ref}`;
}
