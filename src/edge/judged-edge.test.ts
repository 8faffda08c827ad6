import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DEFAULT_GUARD, type Guard } from './guard.ts';
import { DEFAULT_EDGE_SETTINGS, type EdgeObject, type EdgeSettings } from './input.ts';
import { judgeEdge } from './judged-edge.ts';
import { from, host, listener, mapping, object } from './rules/case.ts';

const BACKDROP = [listener('t1/l'), host('t1/h')];
const COLLISION = [from('one', mapping('t1/m')), from('two', mapping('t2/m'))];
const FREEZING = object('Module', 't3/ambassador');

/** An object whose spec is worked out whenever it is read: stands for the bugs that nobody knows of. */
function reading({ object: { spec, ...rest }, origin }: EdgeObject, spy: (reads: number) => void): EdgeObject {
  let reads = 0;
  const read = { enumerable: true, get: () => (spy((reads += 1)), spec) };
  return { object: Object.defineProperty(rest, 'spec', read), origin };
}

function fails(): never {
  throw new Error('a bug');
}

function judged(objects: readonly EdgeObject[], settings: EdgeSettings = DEFAULT_EDGE_SETTINGS, guard?: Guard) {
  return judgeEdge({ objects: [...BACKDROP, ...objects], secret: () => undefined, settings }, guard ?? DEFAULT_GUARD);
}

function found(...args: Parameters<typeof judged>): string[] {
  const { findings } = judged(...args);
  const told = findings.filter(({ rule }) => ['EM000', 'EM007', 'EM009', 'EM010'].includes(rule));
  return told.map(({ rule, object: { kind, namespace, name } }) => `${rule} ${kind} ${namespace}/${name}`);
}

describe('an object over which the judgement fails', () => {
  const unread = reading(mapping('t3/unread'), fails);
  const unjudged = reading(mapping('t3/unjudged'), (reads) => reads > 1 && fails());

  it('is named and set aside, and the others are judged', () => {
    assert.deepEqual(found(COLLISION), ['EM010 Mapping t2/m']);
    for (const broken of [unread, unjudged]) {
      const failed = `EM000 Mapping t3/${broken.object.metadata.name}`;
      assert.deepEqual(found([broken, ...COLLISION]), [failed, 'EM010 Mapping t2/m']);
    }
    assert.deepEqual(found([unread, unjudged]), ['EM000 Mapping t3/unjudged', 'EM000 Mapping t3/unread']);
    const { findings } = judged([from('one', unread)]);
    const failure = findings.find(({ rule }) => rule === 'EM000');
    assert.match(failure?.message ?? '', /^Mapping t3\/unread: .*a bug/);
    assert.deepEqual(failure?.object.origin, { source: 'one', file: 'unread.yaml', line: 1 });
  });

  it('is set aside also where nobody wants to hear of it', () => {
    const guard = { ...DEFAULT_GUARD, ignored: new Map([['EM000', 'known']]) };
    assert.deepEqual(found([unread, ...COLLISION], DEFAULT_EDGE_SETTINGS, guard), ['EM010 Mapping t2/m']);
  });

  it('is the last one where it takes several', () => {
    const networking = (kind: string, name: `${string}/${string}`, spy: () => void) => {
      const { object: made, origin } = object(kind, name);
      return reading({ object: { ...made, apiVersion: 'networking.k8s.io/v1' }, origin }, spy);
    };
    let isSeen = false;
    // Read once by every compilation.
    const settings = Object.defineProperty({ ...DEFAULT_EDGE_SETTINGS }, 'attempt', {
      enumerable: true,
      get: () => (isSeen = false),
    });
    const first = networking('IngressClass', 't3/first', () => (isSeen = true));
    const second = networking('Ingress', 't3/second', () => isSeen && fails());
    assert.deepEqual(found([first, ...COLLISION, second], settings), ['EM000 Ingress t3/second', 'EM010 Mapping t2/m']);
    assert.deepEqual(found([second, ...COLLISION], settings), ['EM010 Mapping t2/m']);
  });
});

describe('an object over which the compiler fails', () => {
  it('hides nothing of the others', () => {
    const { edge } = judged([FREEZING, ...COLLISION]);
    assert.deepEqual(found([FREEZING, ...COLLISION]), ['EM009 Module t3/ambassador', 'EM010 Mapping t2/m']);
    assert.equal(edge.freeze?.policy?.name, 'ambassador');
    assert.equal(edge.policies.filter(({ kind }) => kind === 'Module').length, 1);
    assert.equal(edge.groups.filter(({ internal }) => !internal).length, 1);
  });

  it('nor do several', () => {
    const services = ['http', 'grpc'].map((proto, at) =>
      object('AuthService', `t${at}/auth`, { auth_service: `a${at}`, proto }),
    );
    const told = found([FREEZING, ...services, ...COLLISION]);
    assert.deepEqual(told, [
      'EM007 AuthService t1/auth',
      'EM009 AuthService t1/auth',
      'EM009 Module t3/ambassador',
      'EM010 Mapping t2/m',
    ]);
  });
});
