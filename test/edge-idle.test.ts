// A cluster without Emissary pays nothing for the gate; once it is there, only what the edge is made of is watched.
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { after, before, it } from 'node:test';
import { readAudit } from './audit.ts';
import { startCluster, type Cluster } from './cluster.ts';
import { EDGE, host, mapping } from './edge.ts';
import { applyObject, objectsOf } from './install.ts';
import { World } from './operator.ts';
import { config, manifest, Team } from './team.ts';
import { until } from './until.ts';

let cluster: Cluster;
let world: World;
before(async () => {
  cluster = await startCluster({ audit: true });
  world = await World.create({ cluster });
});
after(async () => {
  await world[Symbol.asyncDispose]();
  await cluster.stop();
});

/** What the operator reads of all namespaces without our label, by resource. */
function readsOfAll(): Set<string> {
  const reads = readAudit(cluster, 'operator').filter(({ verb, requestURI, objectRef }) => {
    const isOfAll = (verb === 'list' || verb === 'watch') && objectRef?.namespace === undefined;
    // One object by its name is no look at all of them: our own CRD.
    const isSelected = requestURI.includes('labelSelector') || requestURI.includes('fieldSelector');
    return isOfAll && !isSelected && objectRef?.resource !== 'gitopssources';
  });
  return new Set(reads.map(({ objectRef }) => objectRef!.resource));
}

it('nothing is watched for the edge until there is one', async () => {
  const service = manifest('v1', 'Service', 'web', { spec: { ports: [{ port: 80 }] } });
  await Team.ready(world, 'plain', { 'a.yaml': config('plain'), 'b.yaml': service });
  assert.deepEqual([...readsOfAll()], []);

  for (const file of readdirSync('examples/emissary-crds').filter((name) => name.endsWith('.yaml')))
    for (const crd of objectsOf(`examples/emissary-crds/${file}`))
      if (crd.kind === 'CustomResourceDefinition') await applyObject(cluster, crd);
  await until(async () => (await cluster.request('GET', '/apis/getambassador.io/v3alpha1/mappings')).status === 200);
  const spec = { port: 8080, protocol: 'HTTP', securityModel: 'XFP', hostBinding: { namespace: { from: 'SELF' } } };
  await Team.ready(world, 'edge', {
    'a.yaml': host('a', 'a.example'),
    'b.yaml': mapping('b', 'a.example', '/'),
    'c.yaml': manifest(EDGE, 'Listener', 'http', { spec }),
  });
  const reads = readsOfAll();
  for (const resource of ['mappings', 'hosts', 'listeners', 'services', 'ingresses'])
    assert.ok(reads.has(resource), `${resource} is watched`);
  for (const resource of ['secrets', 'configmaps', 'pods']) assert.ok(!reads.has(resource), `${resource} is not`);
});
