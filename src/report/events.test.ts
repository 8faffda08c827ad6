import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Notice, SaidSoFar, driftNotice, eventObject, setbackNotice } from './events.ts';
import type { DriftedObject, EdgeSetback } from './sentences.ts';

const applied = (revision: string, message = 'applied'): Notice => ({
  type: 'Normal',
  reason: 'ReconciliationSucceeded',
  message,
  revision,
});
const failed = (revision: string, message = 'no route to host'): Notice => ({
  type: 'Warning',
  reason: 'ArtifactFailed',
  message,
  revision,
});
const suspended: Notice = { type: 'Normal', reason: 'Suspended', message: 'suspended' };

describe('SaidSoFar', () => {
  const MINUTE = 60_000;
  const cases: { title: string; notices: [atMs: number, notice: Notice, news: boolean][] }[] = [
    {
      title: 'a revision is announced once, whatever the message says later',
      notices: [
        [0, applied('r1'), true],
        [1000, applied('r1', 'still applied'), false],
        [90 * MINUTE, applied('r1'), false],
        [90 * MINUTE, applied('r2'), true],
      ],
    },
    {
      title: 'going back to an earlier revision is news',
      notices: [
        [0, applied('r1'), true],
        [1000, applied('r2'), true],
        [2000, applied('r1'), true],
      ],
    },
    {
      title: 'success after a warning is news',
      notices: [
        [0, applied('r1'), true],
        [1000, failed('r1'), true],
        [2000, applied('r1'), true],
        [3000, applied('r1'), false],
      ],
    },
    {
      title: 'an identical warning is held for five minutes',
      notices: [
        [0, failed('r1'), true],
        [5 * MINUTE - 1, failed('r1'), false],
        [5 * MINUTE, failed('r1'), true],
        [6 * MINUTE, failed('r1'), false],
      ],
    },
    {
      title: 'another message, revision or reason is another warning',
      notices: [
        [0, failed('r1'), true],
        [1, failed('r1', 'connection refused'), true],
        [2, failed('r2'), true],
        [3, { ...failed('r1'), reason: 'BuildFailed' }, true],
        [4, failed('r1'), false],
      ],
    },
    {
      title: 'a source that flaps says each half once in five minutes',
      notices: [
        [0, failed('r1'), true],
        [1000, applied('r1'), true],
        [2000, failed('r1'), false],
        [3000, applied('r1'), false],
      ],
    },
    {
      title: 'what has no revision can be said again later',
      notices: [
        [0, suspended, true],
        [1, suspended, false],
        [10 * MINUTE, suspended, true],
      ],
    },
  ];
  for (const { title, notices } of cases) {
    test(title, () => {
      const said = new SaidSoFar(0);
      assert.deepEqual(
        notices.map(([at, notice]) => said.isNews(notice, at)),
        notices.map(([, , news]) => news),
      );
    });
  }

  test('a source that says something new all the time is slowed down to four events a minute', () => {
    const said = new SaidSoFar(0);
    const newsIn = (fromMs: number, toMs: number): number => {
      let news = 0;
      for (let at = fromMs; at < toMs; at += 500) if (said.isNews(failed('r1', `attempt ${at}`), at)) news += 1;
      return news;
    };
    assert.equal(newsIn(0, 15_000), 25);
    assert.equal(newsIn(15_000, 75_000), 4);
  });
});

describe('driftNotice', () => {
  const object = (action: DriftedObject['action'], name = 'web'): DriftedObject => ({
    group: 'apps',
    kind: 'Deployment',
    namespace: 'shop',
    name,
    action,
    fields: [{ path: '/spec/replicas', declared: '3', live: '5', manager: 'kubectl-edit' }],
  });
  const cases: { actions: DriftedObject['action'][]; type: string; reason: string }[] = [
    { actions: ['Healed'], type: 'Normal', reason: 'DriftCorrected' },
    { actions: ['Healed', 'Recreated'], type: 'Normal', reason: 'DriftCorrected' },
    { actions: ['Healed', 'Reported'], type: 'Warning', reason: 'DriftDetected' },
    { actions: [undefined], type: 'Warning', reason: 'DriftDetected' },
    { actions: ['Reported', 'Rewritten'], type: 'Warning', reason: 'DriftRewritten' },
    { actions: ['Rewritten', 'NotHolding', 'Healed'], type: 'Warning', reason: 'DriftNotHolding' },
  ];
  for (const { actions, type, reason } of cases) {
    test(`${actions.join(' and ')} is a ${type} ${reason}`, () => {
      const notice = driftNotice(
        actions.map((action, index) => object(action, `web${index}`)),
        actions.length,
      );
      assert.deepEqual([notice.type, notice.reason], [type, reason]);
      assert.match(notice.message, /Deployment shop\/web0: \/spec\/replicas 3 → 5 by kubectl-edit/);
    });
  }
});

describe('setbackNotice', () => {
  const object = (state: EdgeSetback['state'], name = 'web'): EdgeSetback => {
    return { kind: 'Mapping', namespace: 'shop', name, file: 'a.yaml', line: 3, state, message: 'no Host serves it' };
  };

  test('something that does not work is a warning, and the first objects are named', () => {
    const notice = setbackNotice([object('Unserved'), object('Split', 'both')], 2);
    assert.deepEqual([notice.type, notice.reason], ['Warning', 'EdgeSetback']);
    assert.equal(
      notice.message,
      '1 object is not served, 1 object shares its route with others: ' +
        'Mapping shop/web (a.yaml:3): no Host serves it; Mapping shop/both (a.yaml:3): no Host serves it',
    );
  });

  test('that routes are shared is not, and the message is bounded', () => {
    const notice = setbackNotice(
      Array.from({ length: 20 }, (_, at) => object('Split', `web${at}${'x'.repeat(200)}`)),
      400,
    );
    assert.deepEqual([notice.type, notice.reason], ['Normal', 'EdgeShared']);
    assert.match(notice.message, /^400 objects share their routes with others: .* … and \d+ more$/);
    assert.ok(notice.message.length <= 1024);
  });
});

test('an event names its source, its revision and when', () => {
  const event = eventObject(
    { namespace: 'team', name: 'shop', uid: 'u1' },
    { ...failed('main@sha1:abc'), message: 'x'.repeat(5000), commit: 'abc' },
    { time: new Date('2026-01-02T03:04:05.678Z'), suffix: 's1', instance: 'pod-1' },
  );
  const { message, ...rest } = event;
  assert.equal((message as string).length, 1024);
  assert.deepEqual(rest, {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: {
      name: 'shop.s1',
      namespace: 'team',
      annotations: { 'plumbline.dev/revision': 'main@sha1:abc', 'plumbline.dev/commit': 'abc' },
    },
    involvedObject: {
      apiVersion: 'plumbline.dev/v1alpha1',
      kind: 'GitOpsSource',
      namespace: 'team',
      name: 'shop',
      uid: 'u1',
    },
    type: 'Warning',
    reason: 'ArtifactFailed',
    count: 1,
    firstTimestamp: '2026-01-02T03:04:05Z',
    lastTimestamp: '2026-01-02T03:04:05Z',
    source: { component: 'plumbline' },
    reportingComponent: 'plumbline',
    reportingInstance: 'pod-1',
  });
});
