import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { FieldsV1 } from '../kube/object.ts';
import { Random } from '../../test/random.ts';
import { fieldOf, isLeaf, type FieldPath } from './fields.ts';
import {
  childOf,
  isMember,
  itemIn,
  itemKeyIn,
  itemsIn,
  nodeFor,
  placesOf,
  resolve,
  resolveDeclared,
} from './lookup.ts';

const field = (name: string) => ({ field: name });

it('finds values', () => {
  const object = {
    ports: [
      { port: 80, protocol: 'TCP' },
      { port: 80, protocol: 'UDP', name: 'x' },
    ],
    names: ['a'],
    list: [1, 2],
  };
  const at = (...path: FieldPath): unknown => resolve(object, path);
  assert.equal(at(field('ports'), { key: { port: 80, protocol: 'UDP' } }, field('name')), 'x');
  assert.equal(at(field('ports'), { key: { port: 81 } }, field('name')), undefined);
  assert.equal(at(field('names'), { value: 'a' }), 'a');
  assert.equal(at(field('names'), { value: 'b' }), undefined);
  assert.equal(at(field('list'), { index: 1 }), 2);
  assert.equal(at(field('constructor')), undefined);
  assert.equal(at(field('names'), field('length')), undefined);
});

describe('long lists are looked through as short ones are', () => {
  type Item = Record<string, unknown>;
  const random = new Random(7);
  /** Few names and values, so that items agree, contradict each other, and say nothing. */
  const anyItem = (): Item => ({
    ...(random.chance(0.8) && { port: random.below(4) }),
    ...(random.chance(0.5) && { protocol: random.pick(['TCP', 'UDP', null, '1']) }),
    ...(random.chance(0.2) && { name: 'x' }),
  });
  const anyKey = (): Item => ({
    port: random.below(5),
    ...(random.chance(0.6) && { protocol: random.pick(['TCP', 'UDP', 'SCTP']) }),
  });
  const has = (item: Item, key: Item) => Object.entries(key).every(([name, value]) => fieldOf(item, name) === value);
  const isUnopposed = (item: Item, key: Item) =>
    Object.entries(key).every(([name, value]) => item[name] == null || item[name] === value);

  for (const length of [3, 16, 17, 60])
    it(`${length} items`, () => {
      for (let round = 0; round < 200; round += 1) {
        const list = Array.from({ length }, anyItem);
        const key = anyKey();
        const all = list.filter((item) => has(item, key));
        assert.equal(itemIn(list, key), all[0]);
        assert.deepEqual(itemsIn(list, key), all);
        const expected = all[0] ?? list.find((item) => isUnopposed(item, key));
        assert.equal(resolveDeclared({ list }, [field('list'), { key }]), expected);
        assert.equal(isMember(list, list[2]), true);
        assert.equal(isMember(list, { ...list[2] }), false);
        const texts = Object.fromEntries(Object.entries(key).map(([name, value]) => [name, String(value)]));
        const said = list.map((item) => Object.keys(texts).filter((name) => item[name] != null));
        const agrees = (item: Item, names: string[]) => names.every((name) => String(item[name]) === texts[name]);
        const exact = list.findIndex((item) => agrees(item, Object.keys(texts)));
        const fitting = list.findIndex((item, place) => agrees(item, said[place]!));
        const isNamed = (said[fitting]?.length ?? 0) > 0;
        assert.deepEqual(placesOf(list, { key: texts }), exact >= 0 ? [exact] : isNamed ? [fitting] : []);
      }
    });
});

describe('what a step of a rule means', () => {
  const CASES: [value: unknown, step: FieldPath[number], places: (string | number)[]][] = [
    [{ a: 1 }, field('a'), ['a']],
    [{ a: 1 }, field('b'), []],
    [{ '*': 1 }, field('*'), ['*']],
    [{ a: 1 }, field('constructor'), []],
    [['x', 'y'], field('*'), [0, 1]],
    [['x', 'y'], field('1'), [1]],
    [['x', 'y'], field('01'), []],
    [['x', 'y'], field('2'), []],
    [['x', 'y'], field(''), []],
    [['x', 'y'], field('-0'), []],
    [['x', 'y'], { index: 1 }, [1]],
    [['x', 'y'], { index: 2 }, []],
    [['x', 1, '1'], { value: '1' }, [1]],
    [[{ port: 53 }, { port: '53' }], { key: { port: '53' } }, [0]],
    [[{ port: 53, protocol: 'UDP' }, { port: 53 }], { key: { port: '53', protocol: 'TCP' } }, [1]],
    [[{ port: 53 }, { port: 53, protocol: 'UDP' }], { key: { port: '53', protocol: 'UDP' } }, [1]],
    [[{ name: 'x' }], { key: { port: '53' } }, []],
    ['text', field('0'), []],
  ];
  for (const [value, step, places] of CASES)
    it(`${JSON.stringify(step)} in ${JSON.stringify(value)}`, () => assert.deepEqual(placesOf(value, step), places));
});

describe('tries', () => {
  const leaf: FieldsV1 = {};
  const tcp: FieldsV1 = { '.': {}, 'f:port': {} };
  const trie: FieldsV1 = {
    'f:ports': { 'k:{"port":53,"protocol":"TCP"}': tcp, 'k:{"port":53,"protocol":"UDP"}': {} },
    'f:set': { [String.raw`v:"a\u0026b"`]: leaf, 'v:1': leaf },
    'f:atomic': leaf,
  };
  const ports = trie['f:ports']!;

  it('a key that says less means the first item that it does not contradict', () => {
    assert.equal(childOf(ports, { key: { port: 53 } }), tcp);
    assert.equal(childOf(ports, { key: { protocol: 'UDP' } }), ports['k:{"port":53,"protocol":"UDP"}']);
    assert.equal(childOf(ports, { key: { port: 54 } }), undefined);
    assert.equal(childOf(ports, { key: { port: 53, name: 'x' } }), undefined);
  });

  it('members are found however the server escapes them', () => {
    assert.equal(childOf(trie['f:set']!, { value: 'a&b' }), leaf);
    assert.equal(childOf(trie['f:set']!, { value: 1 }), leaf);
    assert.equal(childOf(trie['f:set']!, { value: '1' }), undefined);
  });

  it('an item is named by all its key fields', () => {
    assert.deepEqual(itemKeyIn(ports, { port: 53, protocol: 'UDP', name: 'x' }), { port: 53, protocol: 'UDP' });
    assert.equal(itemKeyIn(ports, { port: 53 }), undefined);
    assert.equal(itemKeyIn(ports, { port: 54, protocol: 'UDP' }), undefined);
    assert.equal(itemKeyIn({}, { port: 53 }), undefined);
  });

  it('an atomic node stands for what is below it, an empty trie for nothing', () => {
    assert.equal(nodeFor(trie, [field('atomic'), field('x'), field('y')]), leaf);
    assert.equal(nodeFor(trie, [field('ports'), { key: { port: 53 } }]), tcp);
    assert.equal(nodeFor(trie, [field('ports'), { key: { port: 54 } }]), undefined);
    assert.equal(nodeFor({}, [field('x')]), undefined);
    assert.ok(isLeaf(leaf));
  });
});
