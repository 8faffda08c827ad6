// Events as a real API server takes them, and as `kubectl describe` finds them.
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import type { KubeObject } from '../src/kube/object.ts';
import { EventRecorder } from '../src/report/event-recorder.ts';
import type { EventSubject, Notice } from '../src/report/events.ts';
import { type Cluster, freshNamespace, sharedCluster } from './cluster.ts';

let cluster: Cluster;

before(async () => {
  cluster = await sharedCluster();
});

/** A recorder that posts to the API server, Strict, and throws on anything but 201. */
function recorder(errors: unknown[]): EventRecorder {
  return new EventRecorder({
    post: async (event, signal) => {
      const path = `/api/v1/namespaces/${event.metadata.namespace}/events?fieldValidation=Strict`;
      const { status, body } = await cluster.request('POST', path, { body: event, signal });
      if (status !== 201) throw new Error(`${status}: ${JSON.stringify(body)}`);
    },
    onError: (error) => errors.push(error),
    instance: 'plumbline-5c9d-x7k2p',
  });
}

async function eventsOf({ namespace, name, uid }: EventSubject): Promise<KubeObject[]> {
  const selector = `involvedObject.name=${name},involvedObject.uid=${uid},involvedObject.kind=GitOpsSource`;
  const path = `/api/v1/namespaces/${namespace}/events?fieldSelector=${encodeURIComponent(selector)}`;
  const { body } = await cluster.request<{ items: KubeObject[] }>('GET', path);
  return body.items;
}

const notice = (revision: string): Notice => ({
  type: 'Normal',
  reason: 'ReconciliationSucceeded',
  message: `${revision} is applied: 3 created`,
  revision,
  commit: 'a'.repeat(40),
});

describe('events on a real API server', () => {
  test('are accepted as they are, under the longest name a source may have', async () => {
    const subject = { namespace: await freshNamespace(cluster, 'events'), name: 's'.repeat(63), uid: 'uid-1' };
    const errors: unknown[] = [];
    const events = recorder(errors);
    for (let index = 0; index < 10; index++) events.record(subject, notice(`main@sha1:${index}`));
    events.drift(
      subject,
      [{ kind: 'ConfigMap', namespace: 'shop', name: 'a', action: 'Healed', fields: [{ path: '/data/a', live: '5' }] }],
      'main@sha1:9',
    );
    await events.close(new AbortController().signal);
    assert.deepEqual(errors, []);
    const stored = await eventsOf(subject);
    assert.equal(stored.length, 11);
    const drift = stored.find(({ reason }) => reason === 'DriftCorrected');
    assert.equal(drift?.metadata.annotations?.['plumbline.dev/revision'], 'main@sha1:9');
    assert.equal(
      drift?.['message'],
      '1 object was changed by others and is put back: ConfigMap shop/a: /data/a (not declared) → 5',
    );
    assert.ok(stored.every((event) => event['reportingInstance'] === 'plumbline-5c9d-x7k2p'));
  });

  test('that the server refuses are told to nobody but the log', async () => {
    const errors: unknown[] = [];
    const events = recorder(errors);
    events.record({ namespace: 'no-such-namespace', name: 'shop', uid: 'uid-2' }, notice('main@sha1:0'));
    await events.close(new AbortController().signal);
    assert.match(String(errors[0]), /^Error: 404/);
  });
});
