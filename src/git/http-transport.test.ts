import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { redirected } from './http-transport.ts';

suite('redirects', () => {
  const followed: [string, string, string][] = [
    ['https://a.org/x/info/refs', '/y/info/refs', 'https://a.org/y/info/refs'],
    ['https://a.org/x', 'https://a.org/y', 'https://a.org/y'],
    ['https://a.org:444/x', 'https://a.org:444/y', 'https://a.org:444/y'],
    ['http://a.org/x', 'https://a.org/x', 'https://a.org/x'],
  ];
  for (const [from, to, expected] of followed) {
    test(`${from} → ${to}`, () => assert.equal(redirected(new URL(from), to).href, expected));
  }

  const refused: [string, string][] = [
    ['https://a.org/x', 'https://b.org/x'],
    ['https://a.org/x', 'https://a.org.b.org/x'],
    ['https://a.org/x', '//b.org/x'],
    ['https://a.org/x', 'http://a.org/x'],
    ['https://a.org/x', 'https://a.org:444/x'],
    ['https://a.org/x', 'https://u:p@a.org/x'],
    ['https://a.org/x', 'file:///etc/passwd'],
    ['https://a.org/x', 'https://'],
  ];
  for (const [from, to] of refused) {
    test(`${from} → ${to} is refused`, () => {
      assert.throws(() => redirected(new URL(from), to), { code: 'RedirectRefused' });
    });
  }
});
