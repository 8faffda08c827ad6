import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { TerminalError } from '../errors.ts';
import { checkPath, checkRef, checkUrl } from './address.ts';
import type { RefSelector, Remote } from './remote.ts';

function refusedWith(code: string) {
  return (error: unknown) => error instanceof TerminalError && error.code === code;
}

suite('url', () => {
  const good: [Remote, string][] = [
    [{ url: 'https://git.example.org/team/shop.git' }, 'https://git.example.org/team/shop.git'],
    [{ url: 'https://git.example.org:8443/shop//' }, 'https://git.example.org:8443/shop'],
    [{ url: 'http://127.0.0.1:3000/shop' }, 'http://127.0.0.1:3000/shop'],
    [{ url: 'http://localhost/shop' }, 'http://localhost/shop'],
    [{ url: 'http://[::1]:80/shop' }, 'http://[::1]/shop'],
    [{ url: 'http://git.example.org/shop', insecure: true }, 'http://git.example.org/shop'],
  ];
  for (const [remote, href] of good) {
    test(`${remote.url} is taken`, () => assert.equal(checkUrl(remote).href, href));
  }

  const bad: [string, RegExp][] = [
    ['http://git.example.org/shop', /insecure/],
    ['http://127.0.0.1.example.org/shop', /insecure/],
    ['https://ada:hunter2@git.example.org/shop', /Secret/],
    ['https://hunter2@git.example.org/shop', /Secret/],
    ['ssh://git@git.example.org/shop', /not supported yet/],
    ['git@git.example.org:team/shop.git', /not supported yet/],
    ['file:///etc', /scheme file/],
    ['git://git.example.org/shop', /scheme git/],
    ['ext::sh -c id', /scheme ext/],
    ['--upload-pack=id', /characters/],
    ['https://git.example.org/a\nb', /characters/],
    ['https://git.example.org/shop?x=1', /query/],
    ['shop', /not a URL/],
    ['', /not a URL/],
  ];
  for (const [url, message] of bad) {
    test(`${JSON.stringify(url)} is refused without showing a credential`, () => {
      assert.throws(
        () => checkUrl({ url }),
        (error: Error) => {
          assert.ok(refusedWith('InvalidURL')(error));
          assert.match(error.message, message);
          assert.doesNotMatch(error.message, /hunter2/);
          return true;
        },
      );
    });
  }
});

suite('ref', () => {
  const oid = '0123456789012345678901234567890123456789';
  const good: [RefSelector, object][] = [
    [{}, { kind: 'ref', ref: 'refs/heads/main', short: 'main' }],
    [{ branch: 'team/one' }, { kind: 'ref', ref: 'refs/heads/team/one', short: 'team/one' }],
    [{ tag: 'v1.2' }, { kind: 'ref', ref: 'refs/tags/v1.2', short: 'v1.2' }],
    [{ name: 'refs/pull/1/head' }, { kind: 'ref', ref: 'refs/pull/1/head', short: 'refs/pull/1/head' }],
    [{ name: 'refs/heads/main' }, { kind: 'ref', ref: 'refs/heads/main', short: 'main' }],
    [{ commit: oid }, { kind: 'commit', commit: oid }],
    [{ semver: '^1' }, { kind: 'semver', range: '^1' }],
  ];
  for (const [selector, query] of good) {
    test(`${JSON.stringify(selector)} is taken`, () => assert.deepEqual(checkRef(selector), query));
  }

  const bad: RefSelector[] = [
    { branch: '' },
    { branch: '-x' },
    { branch: 'a..b' },
    { branch: 'a b' },
    { branch: 'a\nwant 0' },
    { branch: 'a^' },
    { branch: 'a~1' },
    { branch: 'a:b' },
    { branch: 'a*' },
    { branch: 'a.lock' },
    { branch: '/a' },
    { branch: 'a/' },
    { branch: 'a//b' },
    { branch: 'a/.b' },
    { branch: 'a@{1}' },
    { branch: 'a'.repeat(256) },
    { tag: 'a\u0000' },
    { name: 'HEAD' },
    { name: 'refs/../x' },
    { commit: oid.slice(1) },
    { commit: 'A'.repeat(40) },
    { branch: 'main', tag: 'v1' },
  ];
  for (const selector of bad) {
    test(`${JSON.stringify(selector).slice(0, 60)} is refused`, () => {
      assert.throws(() => checkRef(selector), refusedWith('InvalidRef'));
    });
  }
});

suite('path', () => {
  const good: [string, string[]][] = [
    ['', []],
    ['.', []],
    ['./', []],
    ['deploy', ['deploy']],
    ['./deploy//prod/', ['deploy', 'prod']],
    ['a/..b/c...', ['a', '..b', 'c...']],
  ];
  for (const [path, segments] of good) {
    test(`${JSON.stringify(path)} is taken`, () => assert.deepEqual(checkPath(path), segments));
  }
  for (const path of ['..', '../x', 'a/../b', 'a/..', '/etc', '-x', 'a\\b', 'a\nb', 'a\u0000']) {
    test(`${JSON.stringify(path)} is refused`, () => assert.throws(() => checkPath(path), refusedWith('InvalidPath')));
  }
});
