// Sources that take over each other's routes, each in a commit of its own: none passes alone, all pass together.
import { it } from 'node:test';
import { applied, blocked, edgeFixture, host, mapping } from './edge.ts';

const { shop, blog, greedy } = await edgeFixture('shop', 'blog', 'greedy');

it('both commits pass', async () => {
  const [a, b] = await Promise.all([
    shop.source('app', { 'h.yaml': host('a', 'a.example'), 'm.yaml': mapping('web', 'a.example', '/') }),
    blog.source('app', { 'h.yaml': host('b', 'b.example'), 'm.yaml': mapping('web', 'b.example', '/') }),
  ]);
  await Promise.all([applied(a), applied(b)]);
  const first = await a.repository.write({
    'h.yaml': host('a', 'b.example'),
    'm.yaml': mapping('web', 'b.example', '/'),
  });
  await blocked(a, first);
  const second = await b.repository.write({
    'h.yaml': host('b', 'a.example'),
    'm.yaml': mapping('web', 'a.example', '/'),
  });
  await Promise.all([applied(a, first), applied(b, second)]);
});

it('so do three in a ring, whoever else waits for what they have', async () => {
  const site = (name: string, hostname: string) => ({
    'h.yaml': host(name, hostname),
    'm.yaml': mapping(name, hostname, '/'),
  });
  const names = ['r1', 'r2', 'r3'];
  const sources = await Promise.all(names.map((name) => shop.source(name, site(name, `${name}.example`))));
  await Promise.all(sources.map((source) => applied(source)));
  const thieves = await Promise.all(names.map((name) => greedy.source(name, site(`theft-${name}`, `${name}.example`))));
  await Promise.all(thieves.map((source) => blocked(source)));
  const commits = await Promise.all(
    sources.map((source, at) =>
      source.repository.write(site(names[at]!, `${names[(at + 1) % names.length]!}.example`)),
    ),
  );
  await Promise.all(sources.map((source, at) => applied(source, commits[at])));
});
