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

/** The prefix by which a server is asked for what the query may need; undefined: no question is needed. */
export function refPrefix(query: RefQuery): string | undefined {
  if (query.kind === 'commit') return undefined;
  return query.kind === 'semver' ? TAGS : query.ref;
}

/** Which commit the query means among the refs that the server has. Throws RefNotFound, InvalidRef, GitLimitExceeded. */
export function chooseTip(query: RefQuery, refs: readonly ServerRef[]): Tip {
  if (query.kind === 'commit') return { commit: query.commit, revision: `sha1:${query.commit}` };
  if (query.kind === 'semver') return chooseVersion(query.range, refs);
  const found = refs.find(({ name }) => name === query.ref);
  if (!found) throw gitError('RefNotFound', `the repository has no ${describeRef(query.ref)}`);
  return tipOf(found, query.short);
}

/** In one pass, each tag read once. */
function chooseVersion(range: string, refs: readonly ServerRef[]): Tip {
  if (validRange(range) === null) throw gitError('InvalidRef', 'ref.semver is not a range such as `>=1.2.0 <2`');
  const tags = refs.filter(({ name }) => name.startsWith(TAGS));
  if (tags.length > MAX_TAGS)
    throw limitExceeded('tags', `the repository has ${tags.length} tags, more than are searched for a version`);
  const wanted = new Range(range);
  let best: { ref: ServerRef; short: string; version: SemVer } | undefined;
  for (const ref of tags) {
    const short = ref.name.slice(TAGS.length);
    const version = parse(short);
    if (!version || !wanted.test(version)) continue;
    // `v1.2.0` and `1.2.0` are the same version: the name decides, so that the answer never flips.
    const order = best ? version.compare(best.version) || (short < best.short ? 1 : -1) : 1;
    if (order > 0) best = { ref, short, version };
  }
  if (!best) throw gitError('RefNotFound', `the repository has no tag that matches semver ${range}`);
  return tipOf(best.ref, best.short);
}

const TAGS = 'refs/tags/';

function tipOf({ name, oid, peeled }: ServerRef, short: string): Tip {
  const commit = peeled ?? oid;
  return { commit, ref: name, revision: `${short}@sha1:${commit}` };
}

export function describeRef(ref: string): string {
  if (ref.startsWith('refs/heads/')) return `branch ${ref.slice('refs/heads/'.length)}`;
  if (ref.startsWith('refs/tags/')) return `tag ${ref.slice('refs/tags/'.length)}`;
  return `ref ${ref}`;
}
