// Answers that no API server gives, with status 200: login pages, proxies of other things, half of something. Each is an error
// of ours, and never a cluster in which nothing exists.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { KubeApi } from '../src/kube/objects.ts';
import { Reflector } from '../src/kube/reflector.ts';
import { CONFIG_MAPS, fakeApi } from './kube-fake.ts';

const never = new AbortController().signal;
const options = { signal: never, retry: false, timeoutMs: 20_000 };

const CALLS: Record<string, (api: KubeApi) => Promise<unknown>> = {
  get: (api) => api.get(CONFIG_MAPS, 'n', 'a', options),
  create: (api) => api.create(CONFIG_MAPS, 'n', { metadata: { name: 'a' } }, options),
  delete: (api) => api.delete(CONFIG_MAPS, 'n', 'a', { ...options, uid: 'u' }),
  list: (api) => api.list(CONFIG_MAPS, options).next(),
  discovery: (api) => api.discovery.refresh(never),
  watch: (api) => api.watch(CONFIG_MAPS, { signal: never, resourceVersion: '1', timeoutSeconds: 1, onEvent: () => {} }),
};

const ANSWERS: Record<string, string> = {
  'a number': '5',
  null: 'null',
  'a list of nothing': '[]',
  'an empty object': '{}',
  'a page': '<html>please log in</html>',
  'metadata that is none': '{"metadata": null}',
  'items that are none': '{"items": [null]}',
  'items without names': '{"items": [{"metadata": {}}]}',
  'an event about nothing': '{"type": "ADDED", "object": null}',
  'an event of an unknown type': '{"type": "RENAMED", "object": {"metadata": {"name": "a"}}}',
};

describe('an answer of something that is not an API server', { concurrency: true }, () => {
  for (const [what, body] of Object.entries(ANSWERS)) {
    it(`is recognised: ${what}`, async () => {
      const type = body.startsWith('<') ? 'text/html' : 'application/json';
      await using fake = await fakeApi((_request, response) =>
        response.writeHead(200, { 'content-type': type }).end(`${body}\n`),
      );
      for (const [name, call] of Object.entries(CALLS))
        await assert.rejects(call(fake.api), { code: 'ApiUnexpectedAnswer' }, `${name} answered by ${what}`);
    });
  }

  it('is a problem that a reflector tells, and no list', async () => {
    await using fake = await fakeApi((_request, response) =>
      response.writeHead(200, { 'content-type': 'application/json' }).end('{"items": [{"metadata": {}}]}'),
    );
    const stop = new AbortController();
    const told: string[] = [];
    const handler = {
      listStarted: () => {},
      item: () => void told.push('item'),
      listDone: () => void told.push('done'),
      event: () => void told.push('event'),
      problem: ({ code }: { code: string }) => {
        told.push(code);
        stop.abort();
      },
    };
    await new Reflector(fake.api, { resource: CONFIG_MAPS }, handler).run(stop.signal);
    assert.deepEqual(told, ['ApiUnexpectedAnswer']);
  });
});
