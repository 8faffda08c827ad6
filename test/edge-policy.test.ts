// What the platform team says in an EdgePolicy holds for every team.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { applied, blocked, edgePolicy, edgeFixture, host, mapping, policyOf } from './edge.ts';

const { world, shop, blog } = await edgeFixture('shop', 'blog');
const grants = [
  { name: 'the shop', namespaces: [shop.namespace], hosts: ['shop.example'] },
  {
    name: 'the blog',
    selector: { matchLabels: { 'kubernetes.io/metadata.name': blog.namespace } },
    hosts: ['blog.example'],
  },
];
await edgePolicy(world, { grants });

describe('the API server', () => {
  const WRONG = {
    'a grant to nobody': { grants: [{ hosts: ['a.example'] }] },
    'a grant to names and labels': { grants: [{ namespaces: ['a'], selector: { matchLabels: {} } }] },
    'a rule that cannot be one': { ignore: [{ rule: 'all', reason: 'r' }] },
    'a branch as a commit': { overrides: [{ source: 'a/b', commit: 'main', reason: 'r' }] },
    'a mode that there is none of': { mode: 'Deny' },
  };
  for (const [what, spec] of Object.entries(WRONG)) {
    it(`refuses ${what}`, async () => {
      const body = { apiVersion: 'plumbline.dev/v1alpha1', kind: 'EdgePolicy', metadata: { name: 'wrong' }, spec };
      await world.expect(422, 'POST', '/apis/plumbline.dev/v1alpha1/edgepolicies', { body });
    });
  }
});

describe('a grant', () => {
  it('keeps a host for its holder, and the refusal names him', async () => {
    const theirs = await blog.source('theirs', { 'a.yaml': mapping('theirs', 'shop.example', '/blog/') });
    const { edge, conditions } = await blocked(theirs);
    assert.deepEqual(
      edge?.findings.filter(({ blocks }) => blocks).map(({ rule, file }) => [rule, file]),
      [['EM100', 'a.yaml']],
    );
    assert.match(conditions?.find(({ type }) => type === 'EdgeHealthy')?.message ?? '', /granted to the shop/);
    assert.equal(await policyOf(blog, 'Mapping', 'theirs'), undefined);
  });

  it('lets the holder publish, by name and by labels', async () => {
    const [own, other] = await Promise.all([
      shop.source('own', { 'h.yaml': host('own', 'shop.example'), 'a.yaml': mapping('own', 'shop.example', '/') }),
      blog.source('own', { 'h.yaml': host('own', 'blog.example'), 'a.yaml': mapping('own', 'blog.example', '/') }),
    ]);
    await Promise.all([applied(own), applied(other)]);
  });
});

describe('an override', () => {
  it('lets one commit of one source pass, and says so in the audit log', async () => {
    const source = await blog.source('emergency', { 'a.yaml': mapping('emergency', 'shop.example', '/emergency/') });
    const { lastAttemptedRevision } = await blocked(source);
    const commit = lastAttemptedRevision!.slice(-40);
    const name = `${blog.namespace}/emergency`;
    await edgePolicy(world, { grants, overrides: [{ source: name, commit, reason: 'the incident of today' }] });
    await applied(source, commit);
    const said = world.operator.lines.find(
      (line) => line.audit && line['source'] === name && line['policy'] === 'edge',
    );
    assert.deepEqual([said?.['commit'], said?.['reason'], said?.['rules']], [commit, 'the incident of today', 'EM100']);

    // The grant holds again for the next one.
    await source.repository.write({ 'a.yaml': mapping('more', 'shop.example', '/more/') });
    await blocked(source);
    assert.equal(await policyOf(blog, 'Mapping', 'more'), undefined);
  });

  it('leaves the order in which things go: what would hurt between apply and prune is deleted first', async () => {
    const source = await blog.source('renamed', {
      'h.yaml': host('old', 'renamed.example'),
      'm.yaml': mapping('renamed', 'renamed.example', '/'),
    });
    await applied(source);
    const theft = mapping('renamed-theft', 'shop.example', '/renamed/');
    const commit = await source.repository.write({ 'h.yaml': host('new', 'renamed.example'), 'theft.yaml': theft });
    await blocked(source, commit);
    const override = { source: `${blog.namespace}/renamed`, commit, reason: 'the theft is meant' };
    await edgePolicy(world, { grants, overrides: [override] });
    await applied(source, commit);
    const hosts = world.operator.writes.filter((line) => /Host\b.*\/(?:old|new)\b/.test(line));
    assert.deepEqual(
      hosts.map((line) => `${line.split(' ')[0]} ${/(?:old|new)\b/.exec(line)?.[0]}`),
      ['created old', 'pruned old', 'created new'],
    );
  });

  it('stands in the audit log for each gateway that it is made for', async () => {
    await edgePolicy(world, { ambassadorId: 'internal', grants }, 'internal');
    const both = { ambassador_id: ['default', 'internal'] };
    const source = await blog.source('both', { 'a.yaml': mapping('both', 'shop.example', '/both/', both) });
    const commit = (await blocked(source)).lastAttemptedRevision!.slice(-40);
    const overrides = (reason: string) => [{ source: `${blog.namespace}/both`, commit, reason }];
    await edgePolicy(world, { grants, overrides: overrides('outside') });
    await edgePolicy(world, { ambassadorId: 'internal', grants, overrides: overrides('inside') }, 'internal');
    await applied(source, commit);
    const told = world.operator.lines.filter((line) => line.audit && line['source'] === `${blog.namespace}/both`);
    const reasons = new Map(told.flatMap((line) => (line['reason'] ? [[line['policy'], line['reason']]] : [])));
    assert.deepEqual(Object.fromEntries(reasons), { edge: 'outside', internal: 'inside' });
  });
});
