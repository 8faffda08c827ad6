// A restart in sync changes nothing about what is said of the edge.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import type { GitOpsSource } from '../src/api/source.ts';
import { applied, blocked, edgeFixture, host, mapping, prefixOf, statusWith } from './edge.ts';
import { restarted } from './tenancy.ts';
import { until } from './until.ts';

const { world, shop, blog } = await edgeFixture('shop', 'blog');

/** Longer than the edge takes to be looked at anew, and than a status may wait to be written. */
const SETTLED_MS = 4_000;

/** The status, but for the times at which something was said. */
function sayings({ status }: GitOpsSource): unknown {
  return { ...status, conditions: status?.conditions?.map((condition) => ({ ...condition, lastTransitionTime: '' })) };
}

async function isBack(): Promise<void> {
  await until(() => world.operator.lines.some(({ msg }) => msg === 'watching sources'), {
    what: 'the operator is back',
  });
}

it('the same is said, also where something is wrong between two teams', async () => {
  const source = await shop.source('app', {
    'h.yaml': host('shop', 'shop.example'),
    'm.yaml': mapping('web', 'shop.example', '/'),
  });
  await applied(source);
  // Warnings and errors of two parties, let in on purpose.
  const other = await blog.source('app', { 'm.yaml': mapping('web', 'shop.example', '/') }, { edge: { mode: 'Off' } });
  await applied(other);
  await statusWith(source, 'an error', undefined, ({ edge }) => (edge?.errors ?? 0) > 0);
  await pause(SETTLED_MS);
  const path = `/apis/plumbline.dev/v1alpha1/namespaces/${shop.namespace}/gitopssources/app`;
  const read = async () => (await world.cluster.request<GitOpsSource>('GET', path)).body;
  const told = sayings(await read());

  await restarted(world);
  await isBack();
  await pause(SETTLED_MS);
  // On a slow machine it is told meanwhile that the repository is being read; what is said in the end is the same.
  let now = sayings(await read());
  await until(async () => isDeepStrictEqual((now = sayings(await read())), told)).catch(() => undefined);
  assert.deepEqual(now, told);
});

it('an edit of the source that was stopped before the restart is stopped after it, and one made meanwhile as well', async () => {
  const theirs = await blog.source('edited', {
    'host.yaml': host('edited', 'edited.example'),
    'cart.yaml': mapping('edited', 'edited.example', '/cart/'),
  });
  await applied(theirs);
  const files = {
    'own/cart.yaml': mapping('edited', 'edited.example', '/own/'),
    'taken/cart.yaml': mapping('edited', 'edited.example', '/cart/'),
  };
  const before = await shop.source('before', files, { path: 'own' });
  await applied(before);
  const lateFiles = {
    'own/late.yaml': mapping('late', 'edited.example', '/late/'),
    'taken/late.yaml': mapping('late', 'edited.example', '/cart/'),
  };
  const late = await shop.source('late', lateFiles, { path: 'own' });
  await applied(late);
  await before.patch({ spec: { path: 'taken' } });
  await blocked(before);

  await world.operator.stop('SIGKILL');
  await late.patch({ spec: { path: 'taken' } });
  await restarted(world);
  await isBack();
  await blocked(late);
  await before.patch({ metadata: { annotations: { 'plumbline.dev/requestedAt': 'look' } } });
  await until(async () => (await before.status()).lastHandledReconcileAt === 'look', { what: 'a run has ended' });
  await blocked(before);
  assert.deepEqual(await Promise.all([prefixOf(shop, 'edited'), prefixOf(shop, 'late')]), ['/own/', '/late/']);
});
