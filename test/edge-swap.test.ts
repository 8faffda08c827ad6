// Two sources that take over each other's route in two commits: neither passes alone, both pass together.
import { after, before, it } from 'node:test';
import { applied, blocked, edgeWorld, host, mapping, teams } from './edge.ts';
import type { World } from './operator.ts';
import type { Tenant } from './tenancy.ts';

let world: World;
let shop: Tenant;
let blog: Tenant;
before(async () => {
  world = await edgeWorld();
  ({ shop, blog } = await teams(world, 'shop', 'blog'));
});
after(async () => {
  await world[Symbol.asyncDispose]();
  await world.cluster.stop();
});

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
