import { describeIdentity, identityOf, type KubeObject } from '../../src/kube/object.ts';
import type { Reference } from './client.ts';
import { complaints, hasRejected, kindCounts, namesPlace, shortRevisions, statusOf } from './report.ts';
import { CLAIM, replaced, THINGS } from './shop.ts';
import { DEMO_MANAGER, expect, request, untilApplied, untilSource, type Outcome, type Stage } from './stage.ts';

// What comes from Git: sources, good commits, bad ones.

export async function createSources(stage: Stage): Promise<Outcome> {
  const { client, signal, sources } = stage;
  const started = performance.now();
  // The platform first: it declares the accounts that the teams' sources write as.
  const isTeam = ({ kind, metadata }: KubeObject): boolean =>
    kind === 'GitOpsSource' && metadata.name !== THINGS.platform.metadata.name;
  for (const object of sources.filter((each) => !isTeam(each))) await client.apply(object, DEMO_MANAGER, signal);
  const { sha } = stage.tip();
  const platform = await untilApplied(stage, THINGS.platform, sha);
  for (const object of sources.filter(isTeam)) await client.apply(object, DEMO_MANAGER, signal);
  const checkout = await untilApplied(stage, THINGS.checkout, sha);
  const catalog = await untilApplied(stage, THINGS.catalog, sha);
  const all = [platform, checkout, catalog];
  const count = all.reduce((sum, { object }) => sum + (statusOf(object)?.inventory?.count ?? 0), 0);
  return {
    said: `${count} objects are live`,
    ms: Math.max(...all.map(({ at }) => at)) - started,
    report: all.map(({ object }) => `${(object?.metadata.name ?? '').padEnd(9)} ${kindCounts(object)}`),
  };
}

export async function pushRelease(stage: Stage): Promise<Outcome> {
  const { files } = stage.tip();
  const pushed = await stage.push(
    {
      'checkout/canary.yaml': replaced(files['checkout/canary.yaml'], 'weight: 10', 'weight: 25'),
      'checkout/settings.yaml': replaced(files['checkout/settings.yaml'], "MAX_ITEMS: '50'", "MAX_ITEMS: '80'"),
      'checkout/cart.yaml': replaced(files['checkout/cart.yaml'], 'nginx:1.29.3', 'nginx:1.29.4'),
    },
    'Release cart 1.29.4, canary to 25 %',
  );
  await request(stage, THINGS.checkout);
  const { object, at } = await untilApplied(stage, THINGS.checkout, pushed.sha);
  const canary = await stage.client.get(THINGS.canary, stage.signal);
  const weight = (canary?.spec as { weight?: number } | undefined)?.weight;
  expect(weight === 25, `the live weight is ${weight}, not 25`);
  return {
    said: 'applied after the push was answered',
    ms: at - pushed.at,
    report: [`checkout  ${kindCounts(object)}; at ${shortRevisions(statusOf(object)?.lastAppliedRevision ?? '')}`],
  };
}

export async function pushBrokenYaml(stage: Stage): Promise<Outcome> {
  const file = 'checkout/checkout.yaml';
  const { files } = stage.tip();
  return pushMistake(stage, THINGS.checkout, file, [THINGS.deployment, THINGS.canary], {
    [file]: replaced(files[file], '  replicas: 3', '\treplicas: 5'),
    'checkout/canary.yaml': replaced(files['checkout/canary.yaml'], 'weight: 25', 'weight: 100'),
  });
}

export async function pushRefusedObject(stage: Stage): Promise<Outcome> {
  const file = 'catalog/search.yaml';
  const { files } = stage.tip();
  return pushMistake(stage, THINGS.catalog, file, [THINGS.service], {
    [file]: replaced(files[file], 'port: 80\n', 'port: 80000\n'),
  });
}

/** Emissary would share the requests out between both teams, and tell nobody. */
export async function claimForeignRoute(stage: Stage): Promise<Outcome> {
  const [file, holder] = ['catalog/cart.yaml', 'checkout/mappings.yaml'];
  const outcome = await pushMistake(stage, THINGS.catalog, file, [THINGS.service, THINGS.sale], { [file]: CLAIM });
  const { report = [] } = outcome;
  expect(namesPlace(report, holder), `the message does not name ${holder} and a line: ${report.join(' | ')}`);
  const claim = await stage.client.get(THINGS.claim, stage.signal);
  expect(claim === undefined, 'the Mapping that takes the route is live');
  const { sha } = await stage.push({ [file]: null }, 'Leave the cart to its team');
  await request(stage, THINGS.catalog);
  await untilApplied(stage, THINGS.catalog, sha);
  return { ...outcome, said: 'stopped before anything was applied; once taken back, it goes on by itself' };
}

/** Pushes a mistake; the source must name its place, and these objects must stay as they are. */
async function pushMistake(
  stage: Stage,
  source: Reference,
  file: string,
  bystanders: readonly Reference[],
  change: Record<string, string>,
): Promise<Outcome> {
  const before = await generations(stage, bystanders);
  const pushed = await stage.push(change, `Change ${file}`);
  await request(stage, source);
  const refuses = `to refuse commit ${pushed.sha.slice(0, 7)}`;
  const { object, at } = await untilSource(stage, source, refuses, (each) => hasRejected(each, pushed.sha));
  const said = complaints(object);
  expect(namesPlace(said, file), `the message does not name ${file} and a line: ${said.join(' | ')}`);
  const after = await generations(stage, bystanders);
  expect(before.join() === after.join(), `what was live has changed: generations ${before.join()} → ${after.join()}`);
  return { said: 'contained: told, and what is live stays', ms: at - pushed.at, report: said.slice(0, 4) };
}

/** A generation moves with every change of a spec, not with a status; kinds without one have their resourceVersion. */
async function generations({ client, signal }: Stage, references: readonly Reference[]): Promise<string[]> {
  const objects = await Promise.all(references.map((reference) => client.get(reference, signal)));
  return objects.map(
    (object) => `${object?.metadata.uid}#${object?.metadata.generation ?? object?.metadata.resourceVersion}`,
  );
}

export async function revert(stage: Stage): Promise<Outcome> {
  const { files } = stage.tip();
  const pushed = await stage.push(
    {
      'checkout/checkout.yaml': replaced(files['checkout/checkout.yaml'], '\treplicas: 5', '  replicas: 3'),
      'checkout/canary.yaml': replaced(files['checkout/canary.yaml'], 'weight: 100', 'weight: 25'),
      'catalog/search.yaml': replaced(files['catalog/search.yaml'], 'port: 80000\n', 'port: 80\n'),
    },
    'Revert both',
  );
  await Promise.all([request(stage, THINGS.checkout), request(stage, THINGS.catalog)]);
  const [checkout, catalog] = await Promise.all([
    untilApplied(stage, THINGS.checkout, pushed.sha),
    untilApplied(stage, THINGS.catalog, pushed.sha),
  ]);
  for (const { object } of [checkout, catalog]) {
    expect((statusOf(object)?.failures ?? []).length === 0, 'the old failures are still in the status');
  }
  return { said: 'both teams are Ready again', ms: Math.max(checkout.at, catalog.at) - pushed.at };
}

export async function removeFile(stage: Stage): Promise<Outcome> {
  const { client, signal, patience } = stage;
  const pushed = await stage.push({ 'catalog/sale.yaml': null }, 'The sale is over');
  await request(stage, THINGS.catalog);
  const gone = (reference: Reference) =>
    client.waitFor(reference, (object) => object === undefined, {
      what: `${describeIdentity(identityOf(reference))} to be pruned`,
      timeoutMs: patience.syncMs,
      signal,
    });
  const [banner, sale] = await Promise.all([gone(THINGS.banner), gone(THINGS.sale)]);
  await untilApplied(stage, THINGS.catalog, pushed.sha);
  return { said: 'pruned: its ConfigMap and its Mapping are gone', ms: Math.max(banner.at, sale.at) - pushed.at };
}
