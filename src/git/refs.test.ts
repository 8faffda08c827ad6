import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { checkRef } from './address.ts';
import { TipSearch, type AskedRef, type ServerRef } from './refs.ts';
import type { RefSelector, Tip } from './remote.ts';

const oid = (digit: string): string => digit.repeat(40);

const REFS: ServerRef[] = [
  { name: 'HEAD', oid: oid('1') },
  { name: 'refs/heads/main', oid: oid('1') },
  { name: 'refs/heads/main2', oid: oid('2') },
  { name: 'refs/heads/v9.0.0', oid: oid('9') },
  { name: 'refs/pull/1/head', oid: oid('3') },
  { name: 'refs/tags/v1.2.0', oid: oid('a'), peeled: oid('4') },
  { name: 'refs/tags/1.2.0', oid: oid('b'), peeled: oid('5') },
  { name: 'refs/tags/v1.10.0', oid: oid('6') },
  { name: 'refs/tags/v2.0.0-rc.1', oid: oid('7') },
  { name: 'refs/tags/latest', oid: oid('8') },
];

function chooseTip(selector: RefSelector, refs: readonly ServerRef[]): Tip {
  const query = checkRef(selector) as AskedRef;
  const search = new TipSearch([query]);
  for (const ref of refs) search.take(ref);
  return search.tip(query);
}

suite('which commit a ref means', () => {
  const cases: [RefSelector, string, string][] = [
    [{ branch: 'main' }, oid('1'), `main@sha1:${oid('1')}`],
    [{ tag: 'v1.2.0' }, oid('4'), `v1.2.0@sha1:${oid('4')}`],
    [{ tag: 'latest' }, oid('8'), `latest@sha1:${oid('8')}`],
    [{ name: 'refs/pull/1/head' }, oid('3'), `refs/pull/1/head@sha1:${oid('3')}`],
    [{ semver: '1.x' }, oid('6'), `v1.10.0@sha1:${oid('6')}`],
    [{ semver: '~1.2' }, oid('5'), `1.2.0@sha1:${oid('5')}`],
    [{ semver: '>=2.0.0-0' }, oid('7'), `v2.0.0-rc.1@sha1:${oid('7')}`],
    [{ semver: '*' }, oid('6'), `v1.10.0@sha1:${oid('6')}`],
  ];
  for (const [selector, commit, revision] of cases) {
    test(JSON.stringify(selector), () => {
      const tip = chooseTip(selector, REFS);
      assert.deepEqual([tip.commit, tip.revision], [commit, revision]);
    });
  }

  const failures: [RefSelector, string][] = [
    [{ branch: 'mai' }, 'RefNotFound'],
    [{ tag: 'v3' }, 'RefNotFound'],
    [{ semver: '>=3' }, 'RefNotFound'],
    [{ semver: 'newest' }, 'InvalidRef'],
  ];
  for (const [selector, code] of failures) {
    test(`${JSON.stringify(selector)} fails with ${code}`, () => {
      assert.throws(() => chooseTip(selector, REFS), { code });
    });
  }

  const tagged = (count: number) =>
    Array.from({ length: count }, (_, at) => ({ name: `refs/tags/v1.${at % 997}.${at}`, oid: oid('1') }));

  test('among as many tags as are searched the greatest is found, whatever the order', () => {
    const refs = [...tagged(99_999), { name: 'refs/tags/v1.997.0', oid: oid('2') }];
    for (const order of [refs, refs.toReversed()]) assert.equal(chooseTip({ semver: '1.x' }, order).commit, oid('2'));
  });

  test('of many questions each is answered as if it were the only one', () => {
    const queries = cases.map(([selector]) => checkRef(selector) as AskedRef);
    const search = new TipSearch(queries);
    for (const ref of REFS) search.take(ref);
    assert.deepEqual(
      queries.map((query) => search.tip(query).revision),
      cases.map(([, , revision]) => revision),
    );
  });

  test('more tags are refused, and a branch beside them is not', () => {
    const refs = [...tagged(100_001), ...REFS];
    assert.throws(() => chooseTip({ semver: '1.x' }, refs), { code: 'GitLimitExceeded', message: /tags/ });
    assert.ok(chooseTip({ branch: 'main' }, refs));
  });
});
