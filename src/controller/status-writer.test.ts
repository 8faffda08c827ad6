import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import type { GitOpsSource, GitOpsSourceStatus } from '../api/source.ts';
import { KubeError } from '../kube/errors.ts';
import type { KubeApi } from '../kube/objects.ts';
import type { ApiResource } from '../kube/resource.ts';
import { ManualClock } from '../../test/manual-clock.ts';
import { Source } from './source.ts';
import { StatusWriter } from './status-writer.ts';

type Status = GitOpsSourceStatus;

/** One source as an API server holds it; a merge patch of its status is refused when its guard is not the present version. */
class Server {
  version = 10;
  status: Status | undefined;
  readonly requests: string[] = [];
  /** Called before the next patch is carried out: what gets in between. */
  before: () => void = () => {};

  get object(): GitOpsSource {
    const metadata = { namespace: 'team', name: 'app', uid: 'u', resourceVersion: String(this.version) };
    const { status } = this;
    return {
      apiVersion: 'plumbline.dev/v1alpha1',
      kind: 'GitOpsSource',
      metadata,
      spec: {},
      ...(status && { status }),
    };
  }

  /** A write of somebody else, as the watch brings it. */
  write(status: Status | undefined): GitOpsSource {
    this.version += 1;
    this.status = status;
    return this.object;
  }

  readonly api = {
    get: async () => {
      this.requests.push('get');
      return Promise.resolve(this.object);
    },
    patchStatus: async (
      _resource: unknown,
      _namespace: string,
      _name: string,
      { metadata, status }: { metadata: { resourceVersion: string }; status: Record<string, unknown> },
    ) => {
      this.before();
      this.before = () => {};
      this.requests.push(`patch ${Object.keys(status).sort().join()} at ${metadata.resourceVersion}`);
      if (metadata.resourceVersion !== String(this.version))
        throw new KubeError('ApiConflict', 'changed', { status: 409 });
      const merged = Object.entries({ ...this.status, ...status }).filter(([, value]) => value !== null);
      return Promise.resolve({ object: this.write(Object.fromEntries(merged) as unknown as Status), warnings: [] });
    },
  } as unknown as KubeApi;
}

function setUp() {
  const server = new Server();
  const clock = new ManualClock();
  const source = new Source(server.object);
  const told = { status: { observedGeneration: 1, lastAppliedRevision: 'main@sha1:a' } as Status };
  const errors: unknown[] = [];
  const work = { waits: false };
  const writer = new StatusWriter({
    api: server.api,
    resource: () => ({}) as ApiResource,
    quietMs: 1_000,
    statusOf: () => told.status,
    mayWrite: () => true,
    isBusy: () => work.waits,
    clock,
    signal: new AbortController().signal,
    onStored: () => {},
    onError: (_source, error) => errors.push(error),
  });
  /** Lets timers and answers come for some seconds. */
  const pass = async (seconds = 20) => {
    for (let step = 0; step < 2 * seconds; step += 1) {
      clock.advance(500);
      await setImmediate();
    }
  };
  return { server, source, told, errors, work, writer, pass };
}

describe('the writer of status', () => {
  it('writes what has changed, and nothing when nothing has', async () => {
    const { server, source, writer, told } = setUp();
    assert.equal(await writer.flush(source), true);
    assert.equal(await writer.flush(source), true);
    told.status = { ...told.status, lastAppliedRevision: 'main@sha1:b' };
    assert.equal(await writer.flush(source), true);
    assert.deepEqual(server.requests, [
      'patch lastAppliedRevision,observedGeneration at 10',
      'patch lastAppliedRevision at 11',
    ]);
  });

  it('takes its own writes, seen late or early, for its own', async () => {
    const { server, source, writer, told, pass } = setUp();
    await writer.flush(source);
    const first = server.object;
    told.status = { ...told.status, lastAppliedRevision: 'main@sha1:b' };
    const flushed = writer.flush(source);
    writer.seen(source, first);
    await flushed;
    writer.seen(source, first);
    writer.seen(source, server.object);
    await pass();
    assert.equal(server.requests.length, 2);
  });

  it('puts right what another hand wrote, once', async () => {
    const { server, source, writer, told, pass } = setUp();
    await writer.flush(source);
    writer.seen(source, server.write({ observedGeneration: 1, lastAppliedRevision: 'main@sha1:old', history: [] }));
    await pass();
    assert.deepEqual(server.status, told.status);
    assert.deepEqual(server.requests.slice(1), ['patch history,lastAppliedRevision at 12']);
  });

  it('reads again when a late write came in between, and leaves nothing of it', async () => {
    const { server, source, writer, told, errors, pass } = setUp();
    await writer.flush(source);
    told.status = { ...told.status, observedGeneration: 2 };
    server.before = () => server.write({ observedGeneration: 1, lastAppliedRevision: 'main@sha1:old', history: [] });
    assert.equal(await writer.flush(source), true);
    await pass();
    assert.deepEqual(server.status, told.status);
    assert.deepEqual(server.requests.slice(1), [
      'patch observedGeneration at 11',
      'get',
      'patch history,lastAppliedRevision,observedGeneration at 12',
    ]);
    assert.deepEqual(errors, []);
  });

  it('sees a late write that arrives between its own write and the answer to it', async () => {
    const { server, source, writer, told, pass } = setUp();
    const flushed = writer.flush(source);
    assert.equal(server.requests.length, 1, 'it has arrived; the answer is still on its way');
    writer.seen(source, server.write({ observedGeneration: 1, lastAppliedRevision: 'main@sha1:old' }));
    await flushed;
    await pass();
    assert.deepEqual(server.status, told.status);
  });

  it('lets what may well pass wait for work, so long and no longer', async () => {
    const { server, source, work, writer, pass } = setUp();
    work.waits = true;
    writer.changedLately(source, 2_000, 7_000);
    await pass(8);
    assert.equal(server.requests.length, 0);
    await pass(1);
    assert.equal(server.requests.length, 1);
  });

  it('tells what may well pass when the work is done', async () => {
    const { server, source, work, writer, pass } = setUp();
    work.waits = true;
    writer.changedLately(source, 2_000, 15_000);
    await pass(3);
    work.waits = false;
    await pass(1);
    assert.equal(server.requests.length, 1);
  });

  it('lets nothing else wait because something may well pass', async () => {
    const { server, source, told, work, writer, pass } = setUp();
    work.waits = true;
    writer.changedLately(source, 2_000, 15_000);
    writer.changedLately(source, 3_000);
    await pass(3);
    assert.equal(server.requests.length, 1);
    told.status = { ...told.status, lastAppliedRevision: 'main@sha1:b' };
    writer.changedLately(source, 2_000, 15_000);
    writer.changed(source);
    await pass(1);
    assert.equal(server.requests.length, 2);
  });

  it('does not answer a change of anything else with a write', async () => {
    const { server, source, writer, told, pass } = setUp();
    await writer.flush(source);
    writer.seen(source, server.write(told.status));
    await pass();
    assert.equal(server.requests.length, 1);
    told.status = { ...told.status, observedGeneration: 2 };
    await writer.flush(source);
    assert.deepEqual(server.requests.slice(1), ['patch observedGeneration at 12'], 'no conflict with what was seen');
  });
});
