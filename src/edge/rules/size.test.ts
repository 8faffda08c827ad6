import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { compileEdge } from '../compile.ts';
import { DEFAULT_GUARD } from '../guard.ts';
import { DEFAULT_EDGE_SETTINGS, type EdgeObject } from '../input.ts';
import { findingsOf } from '../judge.ts';
import { verdictOf } from '../verdict.ts';
import { from, host, listener, mapping } from './case.ts';

function hosts(count: number, source = 'platform'): EdgeObject[] {
  return Array.from({ length: count }, (_, at) =>
    from(source, host(`${source}/h${at}`, { hostname: `${source}${at}.com` })),
  );
}

/** Each is served by every Host. */
function everywhere(count: number, source: string): EdgeObject[] {
  return Array.from({ length: count }, (_, at) =>
    from(
      source,
      mapping(`${source}/m${at}`, { hostname: undefined, host: '.*', host_regex: true, prefix: `/${source}/${at}/` }),
    ),
  );
}

function judged(objects: readonly EdgeObject[]) {
  const input = {
    objects: [listener('emissary/l'), ...objects],
    complete: true,
    settings: DEFAULT_EDGE_SETTINGS,
    secret: () => undefined,
  };
  const edge = compileEdge(input);
  const findings = findingsOf({ edge, input, guard: DEFAULT_GUARD }).filter(({ rule }) => rule === 'EM00C');
  return { findings, frozen: false };
}

/** Is the source stopped by EM00C when it adds or takes away these? */
function isStopped(source: string, before: readonly EdgeObject[], after: readonly EdgeObject[]): boolean {
  const question = {
    before: judged(before),
    after: judged(after),
    pruned: [],
    sources: [source],
    threshold: 'error',
  } as const;
  return verdictOf(question).kind === 'blocked';
}

describe('too many routes', () => {
  it('stop whoever brings most of them', () => {
    const world = [...hosts(1000), ...everywhere(20, 'team')];
    assert.equal(isStopped('evil', world, [...world, ...everywhere(490, 'evil')]), true);
  });

  it('stop nobody who only adds the last bit', () => {
    const world = [...hosts(1000), ...everywhere(480, 'evil')];
    const more = [...world, ...everywhere(30, 'team')];
    assert.equal(judged(more).findings.length, 1);
    assert.equal(isStopped('team', world, more), false);
  });

  it('stop whoever puts up Hosts for the Mappings of others', () => {
    const world = everywhere(600, 'team');
    assert.equal(isStopped('evil', world, [...world, ...hosts(1000, 'evil')]), true);
  });

  it('stop nobody who takes some of them away', () => {
    const world = [...hosts(1000), ...everywhere(600, 'team')];
    assert.equal(isStopped('team', world, world.slice(0, -50)), false);
    assert.equal(
      isStopped(
        'team',
        world,
        world.filter(({ object }) => object.metadata.name !== 'm0'),
      ),
      false,
    );
  });

  it('are counted for each Listener that writes them', () => {
    const world = [...hosts(300), ...everywhere(300, 'team')];
    const listeners = Array.from({ length: 30 }, (_, at) => from('evil', listener(`evil/l${at}`, { port: 9000 + at })));
    assert.equal(isStopped('evil', world, [...world, ...listeners.slice(0, 10)]), false);
    assert.equal(isStopped('evil', world, [...world, ...listeners]), true);
  });
});
