// Whatever somebody does to a managed object by hand is put back at once, and said: what, from what to what, by whom, when.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { AuditField } from '../src/report/log.ts';
import type { KubeObject } from '../src/kube/object.ts';
import { World, type Line } from './operator.ts';
import { config, dataOf, deployment, manifest, Team } from './team.ts';
import { until } from './until.ts';

const APPLY = 'application/apply-patch+yaml';
const JSON_PATCH = 'application/json-patch+json';

interface EditCase {
  edit: string;
  /** Of the object that the case has for itself. */
  declared: (name: string) => string;
  at: string;
  by: (place: string, live: KubeObject) => Promise<unknown>;
  /** Told in the audit log; without the time. */
  fields: Partial<AuditField & { operation: string }>[];
  action?: 'healed' | 'recreated';
}

let world: World;
let team: Team;

const merge = (patch: object) => (place: string) => world.edit(place, patch);
const json =
  (...operations: object[]) =>
  (place: string) =>
    world.expect(200, 'PATCH', `${world.path(place)}?fieldManager=kubectl-edit`, {
      body: operations,
      contentType: JSON_PATCH,
    });
const edited = { manager: 'kubectl-edit', operation: 'Update' };
const removed = { operation: 'Removed' };
const container = (fields: object) => ({ name: 'app', image: 'app:1', ...fields });
const web = (name: string) => deployment(name, { replicas: 0 });

const CASES: EditCase[] = [
  {
    edit: 'replicas by kubectl edit',
    declared: web,
    at: 'apps/v1/deployments',
    by: merge({ spec: { replicas: 1 } }),
    fields: [{ path: '/spec/replicas', declared: '0', live: '1', ...edited }],
  },
  {
    edit: 'kubectl scale by a person',
    declared: web,
    at: 'apps/v1/deployments',
    by: (place) =>
      world.expect(200, 'PATCH', `${world.path(place)}/scale?fieldManager=kubectl`, {
        body: { spec: { replicas: 1 } },
      }),
    fields: [{ path: '/spec/replicas', declared: '0', live: '1', manager: 'kubectl', operation: 'Update' }],
  },
  {
    edit: 'a declared label removed',
    declared: (name) => config(name, { key: 'value' }, { labels: { team: 'shop' } }),
    at: 'v1/configmaps',
    by: merge({ metadata: { labels: { team: null } } }),
    fields: [{ path: '/metadata/labels/team', declared: 'shop', ...removed }],
  },
  {
    edit: 'an argument appended to an atomic list',
    declared: (name) =>
      deployment(name, {
        template: { metadata: { labels: { app: name } }, spec: { containers: [container({ args: ['--a'] })] } },
      }),
    at: 'apps/v1/deployments',
    by: json({ op: 'add', path: '/spec/template/spec/containers/0/args/-', value: '--b' }),
    fields: [
      { path: '/spec/template/spec/containers[name=app]/args', declared: '["--a"]', live: '["--a","--b"]', ...edited },
    ],
  },
  {
    edit: 'a key added to an atomic map',
    declared: (name) => manifest('v1', 'Service', name, { spec: { selector: { app: 'x' }, ports: [{ port: 80 }] } }),
    at: 'v1/services',
    by: merge({ spec: { selector: { extra: 'y' } } }),
    fields: [{ path: '/spec/selector', declared: '{"app":"x"}', live: '{"app":"x","extra":"y"}', ...edited }],
  },
  {
    edit: 'a forced apply by a thief',
    declared: web,
    at: 'apps/v1/deployments',
    by: (place, live) =>
      world.expect(200, 'PATCH', `${world.path(place)}?fieldManager=thief&force=true`, {
        body: {
          apiVersion: 'apps/v1',
          kind: 'Deployment',
          metadata: { name: live.metadata.name },
          spec: { replicas: 2 },
        },
        contentType: APPLY,
      }),
    fields: [{ path: '/spec/replicas', declared: '0', live: '2', manager: 'thief', operation: 'Apply' }],
  },
  {
    edit: 'managedFields cleared together with a value',
    declared: (name) => config(name),
    at: 'v1/configmaps',
    by: json(
      { op: 'replace', path: '/metadata/managedFields', value: [{}] },
      { op: 'replace', path: '/data/key', value: 'edited' },
    ),
    fields: [{ path: '/data/key', declared: 'value', live: 'edited' }],
  },
  {
    edit: 'an apply under our own name',
    declared: (name) => config(name),
    at: 'v1/configmaps',
    by: async (place, live) => {
      const { labels, annotations, name } = live.metadata;
      const body = {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name, labels, annotations },
        data: { key: 'forged' },
      };
      return world.expect(200, 'PATCH', `${world.path(place)}?fieldManager=plumbline&force=true`, {
        body,
        contentType: APPLY,
      });
    },
    fields: [{ path: '/data/key', declared: 'value', live: 'forged' }],
  },
  {
    edit: 'a deletion',
    declared: (name) => config(name),
    at: 'v1/configmaps',
    by: (place) => world.expect(200, 'DELETE', world.path(place)),
    action: 'recreated',
    fields: [{ path: '/', declared: 'present', ...removed }],
  },
  {
    edit: 'our labels stripped',
    declared: (name) => config(name),
    at: 'v1/configmaps',
    by: merge({ metadata: { labels: null } }),
    fields: [{ path: '/metadata/labels', ...removed }],
  },
  {
    edit: 'our labels and our annotation stripped, and a value changed',
    declared: (name) => config(name),
    at: 'v1/configmaps',
    by: merge({ metadata: { labels: null, annotations: null }, data: { key: 'edited' } }),
    fields: [
      { path: '/metadata/labels', ...removed },
      { path: '/metadata/annotations', ...removed },
      { path: '/data/key', declared: 'value', live: 'edited', ...edited },
    ],
  },
  {
    edit: 'our label set to another name',
    declared: (name) => config(name),
    at: 'v1/configmaps',
    by: merge({ metadata: { labels: { 'plumbline.dev/name': 'other' } } }),
    fields: [{ path: '/metadata/labels/plumbline.dev~1name', declared: 'heal', live: 'other', ...edited }],
  },
];

const nameOf = (index: number) => `heal-${index}`;

before(async () => {
  world = await World.create();
  const files = Object.fromEntries(
    CASES.map(({ declared }, index) => [`${nameOf(index)}.yaml`, declared(nameOf(index))]),
  );
  const more = {
    'after.yaml': config('heal-after'),
    'same.yaml': web('heal-same'),
    'held.yaml': config('heal-held'),
    'mine.yaml': config('heal-mine'),
    'last.yaml': config('heal-last'),
  };
  team = await Team.ready(world, 'heal', { ...files, ...more });
});
after(() => world[Symbol.asyncDispose]());

/** The lines of the audit log about one object since it was first applied. */
function told(name: string): (Line & { fields?: Record<string, unknown>[] })[] {
  const about = ({ audit, object, action }: Line) =>
    audit && action !== 'created' && (object as { name?: string } | undefined)?.name === name;
  return world.operator.lines.filter(about);
}

async function declaredAgain(place: string, before: KubeObject): Promise<KubeObject> {
  const essence = ({ metadata, data, spec }: KubeObject) =>
    JSON.stringify([data, spec, metadata.labels, metadata.annotations?.['plumbline.dev/owner']]);
  return until(async () => {
    const live = await world.get(place);
    return live && essence(live) === essence(before) && live;
  });
}

describe('somebody changes a managed object', { concurrency: true }, () => {
  for (const [index, { edit, at, by, fields, action = 'healed' }] of CASES.entries()) {
    it(edit, async () => {
      const name = nameOf(index);
      const place = `${at}/${name}`;
      const before = (await world.get(place))!;
      await by(place, before);
      const [line] = await until(() => told(name).length > 0 && told(name), { what: `${name} is healed` });
      assert.equal(line?.action, action);
      const seen = line?.fields ?? [];
      assert.equal(seen.length, fields.length, JSON.stringify(seen));
      for (const [place, field] of fields.entries()) assert.deepEqual({ ...seen[place], ...field }, seen[place]);
      assert.equal(line?.['source'], team.world.namespace + '/heal');
      assert.match(String(line?.['commit']), /^[0-9a-f]{40}$/);
      const live = await declaredAgain(place, before);
      assert.equal(live.metadata.uid === before.metadata.uid, action === 'healed');
      assert.equal(told(name).length, 1, 'healed once');
    });
  }

  it('the same value applied by another, and fields of their own, are no drift', async () => {
    const body = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'heal-same' }, spec: { replicas: 0 } };
    const path = world.path('apps/v1/deployments/heal-same');
    await world.expect(200, 'PATCH', `${path}?fieldManager=other`, { body, contentType: APPLY });
    await world.edit('apps/v1/deployments/heal-same', { metadata: { annotations: { mine: 'x' } } });
    await world.edit('v1/configmaps/heal-mine', { data: { mine: 'x' }, metadata: { labels: { mine: 'x' } } });
    // What comes after them in the same watches has been healed: they have been judged.
    await world.edit('v1/configmaps/heal-mine', { data: { key: 'edited' } });
    await until(() => told('heal-mine').length > 0);
    await world.edit('apps/v1/deployments/heal-same', { spec: { replicas: 1 } });
    const lines = await until(() => told('heal-same').length > 0 && told('heal-same'));
    assert.equal(lines.length, 1);
    assert.equal(lines[0]?.fields?.[0]?.['manager'], 'kubectl-edit');
    const mine = await world.get('v1/configmaps/heal-mine');
    assert.deepEqual(mine?.['data'], { key: 'value', mine: 'x' });
    assert.equal(mine.metadata.labels?.['mine'], 'x');
  });

  it('an object that waits for a finalizer is created again when it is gone', async () => {
    const place = 'v1/configmaps/heal-held';
    const before = await world.edit(place, { metadata: { finalizers: ['example.com/wait'] } });
    await world.expect(200, 'DELETE', world.path(place));
    await until(async () => (await world.get(place))?.metadata.deletionTimestamp);
    // A heal of the same kind later on: the deletion has been seen, and nothing was written to the object meanwhile.
    await world.edit('v1/configmaps/heal-after', { data: { key: 'again' } });
    await until(async () => (await dataOf(world, 'heal-after'))?.['key'] === 'value');
    assert.equal(told('heal-held').length, 0);
    await world.edit(place, { metadata: { finalizers: null } });
    await until(async () => {
      const live = await world.get(place);
      return live && live.metadata.uid !== before.metadata.uid;
    });
    await until(() => told('heal-held').length === 1);
    assert.equal(told('heal-held')[0]?.action, 'recreated');
  });

  it('the status names the objects with their fields, and ends in sync', async () => {
    await world.edit('v1/configmaps/heal-last', { data: { key: 'last' } }, 'somebody');
    const drift = await until(async () => {
      const { drift } = await team.status();
      const first = drift?.objects.find(({ name, fields }) => name === 'heal-last' && fields[0]?.live === 'last');
      return drift?.count === 0 && first && { drift, first };
    });
    const { time, since, ...field } = drift.first.fields[0]!;
    assert.deepEqual(field, {
      path: '/data/key',
      declared: 'value',
      live: 'last',
      manager: 'somebody',
      operation: 'Update',
      action: 'Healed',
    });
    for (const moment of [time, since]) assert.match(moment!, /^\d{4}-\d\d-\d\dT/);
    assert.deepEqual([drift.first.file, drift.first.action], ['last.yaml', 'Healed']);
    await team.condition('Drifted', 'False', { reason: 'InSync' });
  });
});
