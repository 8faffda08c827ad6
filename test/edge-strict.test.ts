// How strictly a source is judged: as strictly as the platform team wants it, or more strictly, if it says so itself.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { GitOpsSourceSpecInput } from '../src/api/source.ts';
import { applied, EDGE, edgeFixture, host, mapping, policyInForce, reasonOf, statusWith, stoppedBy } from './edge.ts';
import { manifest } from './team.ts';
import type { TenantSource } from './tenancy.ts';

const { world, shop } = await edgeFixture('shop');

const value = Buffer.from('-----').toString('base64');

/** Takes TLS from this version on. */
function encrypted(name: string, version: string, edge: GitOpsSourceSpecInput['edge'] = {}): Promise<TenantSource> {
  const data = { 'tls.crt': value, 'tls.key': value };
  const spec = { hostname: `${name}.example`, tlsSecret: { name }, tls: { min_tls_version: version } };
  const files = {
    's.yaml': manifest('v1', 'Secret', name, { type: 'kubernetes.io/tls', data }),
    'h.yaml': manifest(EDGE, 'Host', name, { spec }),
    'm.yaml': mapping(name, `${name}.example`, '/', { service: 'https://www.example.com' }),
  };
  return shop.source(name, files, { edge });
}

/** Sends to a Service that is not there: a warning. */
function warned(name: string, edge: GitOpsSourceSpecInput['edge'] = {}): Promise<TenantSource> {
  const files = { 'h.yaml': host(name, `${name}.example`), 'm.yaml': mapping(name, `${name}.example`, '/') };
  return shop.source(name, files, { edge });
}

describe('the floor of TLS', () => {
  it('of a source that asks for more stops its own commits', async () => {
    await applied(await encrypted('usual', 'v1.2'));
    assert.deepEqual(await stoppedBy(await encrypted('strict', 'v1.2', { tlsFloor: 'v1.3' })), ['EM064']);
  });

  it('of a source that asks for more is what it is told of what stands by, and of nobody else’s', async () => {
    const rulesTo = async (source: TenantSource, reason: string) => {
      const { edge } = await statusWith(source, `EdgeHealthy: ${reason}`, undefined, (status) => {
        return reasonOf(status, 'EdgeHealthy') === reason;
      });
      return edge?.findings.filter(({ severity }) => severity === 'error').map(({ rule }) => rule);
    };
    const hears = await encrypted('hears', 'v1.2', { mode: 'Warn', tlsFloor: 'v1.3' });
    await applied(hears);
    assert.deepEqual(await rulesTo(hears, 'EdgeFindings'), ['EM064']);
    const raised = await encrypted('raised', 'v1.2');
    await applied(raised);
    await rulesTo(raised, 'EdgeSound');
    await raised.patch({ spec: { edge: { tlsFloor: 'v1.3' } } });
    assert.deepEqual(await rulesTo(raised, 'EdgeFindings'), ['EM064']);
    assert.deepEqual(await rulesTo(hears, 'EdgeFindings'), ['EM064']);
  });

  it('of the platform holds for everybody, whatever a source says', async () => {
    assert.deepEqual(await stoppedBy(await encrypted('weak', 'v1.0', { tlsFloor: 'v1.0' })), ['EM064']);
  });
});

describe('failOn', () => {
  it('of a source that asks for more stops its own commits', async () => {
    await applied(await warned('lenient'));
    assert.deepEqual(await stoppedBy(await warned('careful', { failOn: 'Warning' })), ['EM046']);
  });

  it('of the platform holds for everybody, whatever a source says', async () => {
    await policyInForce(world, { failOn: 'Warning' });
    assert.deepEqual(await stoppedBy(await warned('careless', { failOn: 'Error' })), ['EM046']);
  });
});
