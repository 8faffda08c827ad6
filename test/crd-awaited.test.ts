// The operator may be there before its CRD: it waits, ends quietly when told to, and begins when the CRD comes.
import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { freshNamespace, startCluster, type Cluster } from './cluster.ts';
import { installCrd, Operator } from './operator.ts';
import { until } from './until.ts';

let cluster: Cluster;
before(async () => void (cluster = await startCluster({ controllers: false })));
after(() => cluster[Symbol.asyncDispose]());

it('waits for its CRD, and ends quietly while it waits', async () => {
  const namespace = await freshNamespace(cluster);
  const said = (operator: Operator, text: string) =>
    until(() => operator.lines.some(({ msg }) => msg?.includes(text)), { what: `the operator says: ${text}` });
  {
    await using operator = Operator.start(cluster, { namespace });
    await said(operator, 'not installed yet');
    assert.equal(await operator.stop(), 0, operator.stderr);
    assert.equal(operator.stderr, '');
  }
  await using operator = Operator.start(cluster, { namespace });
  await said(operator, 'not installed yet');
  await installCrd(cluster);
  await said(operator, 'watching sources');
  assert.equal(await operator.stop(), 0, operator.stderr);
});
