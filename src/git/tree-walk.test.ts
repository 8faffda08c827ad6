import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { suite, test } from 'node:test';
import { ParsedTrees } from './parsed-trees.ts';
import { walkTree, type ObjectReader, type Walked } from './tree-walk.ts';

/** A folder to be made: text is a file, `→ target` a link, `#` a submodule. */
interface Folder {
  [name: string]: string | Folder;
}

class Objects implements ObjectReader {
  readonly trees = new Map<string, Uint8Array>();
  readonly blobs = new Map<string, Uint8Array>();

  async tree(oid: string): Promise<Uint8Array | undefined> {
    return this.trees.get(oid);
  }

  async blob(oid: string): Promise<Uint8Array | undefined> {
    return this.blobs.get(oid);
  }

  add(folder: Folder): string {
    const entries = Object.entries(folder).map(([name, value]) => {
      const [mode, oid] = this.#entry(value);
      return Buffer.concat([Buffer.from(`${mode} ${name}\0`), Buffer.from(oid, 'hex')]);
    });
    return put(this.trees, 'tree', Buffer.concat(entries));
  }

  #entry(value: string | Folder): [string, string] {
    if (typeof value !== 'string') return ['40000', this.add(value)];
    if (value === '#') return ['160000', 'f'.repeat(40)];
    const mode = value.startsWith('→ ') ? '120000' : '100644';
    return [mode, put(this.blobs, 'blob', Buffer.from(value.replace('→ ', '')))];
  }
}

function put(store: Map<string, Uint8Array>, type: string, content: Buffer): string {
  const oid = createHash('sha1').update(`${type} ${content.length}\0`).update(content).digest('hex');
  store.set(oid, content);
  return oid;
}

const LIMITS = { fileCount: 1000, treeDepth: 64 };

async function walk(folder: Folder, path: string, limits = LIMITS): Promise<Walked> {
  const objects = new Objects();
  return walkTree(objects.add(folder), path === '' ? [] : path.split('/'), objects, limits);
}

/** `path = content` or `path ! code`, in the order of the answer. */
async function list(folder: Folder, path: string): Promise<string[]> {
  const objects = new Objects();
  const walked = await walkTree(objects.add(folder), path === '' ? [] : path.split('/'), objects, LIMITS);
  assert.ok(walked.kind === 'complete');
  return walked.files.map((file) => {
    if (file.problem) return `${file.path} ! ${file.problem.code}`;
    return `${file.path} = ${Buffer.from(objects.blobs.get(file.oid) ?? 'missing').toString()}`;
  });
}

suite('files below a path', () => {
  const tree: Folder = {
    README: 'r',
    deploy: { 'b.yaml': 'b', a: { 'x.yaml': 'x' }, 'a.yaml': 'a', 'a-b': '1' },
    other: { o: 'o' },
  };
  const cases: [string, string[]][] = [
    ['deploy', ['deploy/a-b = 1', 'deploy/a.yaml = a', 'deploy/a/x.yaml = x', 'deploy/b.yaml = b']],
    ['deploy/a', ['deploy/a/x.yaml = x']],
    ['other', ['other/o = o']],
  ];
  for (const [path, files] of cases) test(path, async () => assert.deepEqual(await list(tree, path), files));
  test('the root', async () => assert.equal((await list(tree, '')).length, 6));

  test('byte order also beyond the basic plane', async () => {
    assert.deepEqual(await list({ '🦊': '1', '\uff5e': '2' }, ''), ['\uff5e = 2', '🦊 = 1']);
  });

  const none: [string, string][] = [
    ['nope', 'spec.path: there is no folder nope in the commit'],
    ['deploy/nope', 'spec.path: there is no folder deploy/nope in the commit'],
    ['README', 'spec.path: README is a file, not a folder'],
    ['README/x', 'spec.path: there is no folder README/x in the commit'],
    ['deploy/a.yaml/x', 'spec.path: there is no folder deploy/a.yaml/x in the commit'],
  ];
  for (const [path, message] of none) {
    test(`${path} is no folder`, async () => assert.rejects(walk(tree, path), { code: 'PathNotFound', message }));
  }
});

suite('symbolic links', () => {
  const cases: [string, Folder, string, string[]][] = [
    ['to a file', { d: { a: 'A', l: '→ a' } }, 'd', ['d/a = A', 'd/l = A']],
    ['to a file elsewhere', { d: { l: '→ ../x/a' }, x: { a: 'A' } }, 'd', ['d/l = A']],
    ['to a folder', { d: { l: '→ ../x' }, x: { a: 'A', s: { b: 'B' } } }, 'd', ['d/l/a = A', 'd/l/s/b = B']],
    [
      'relative to where the link lies',
      { d: { l: '→ ../x' }, x: { l2: '→ ./a', a: 'A' } },
      'd',
      ['d/l/a = A', 'd/l/l2 = A'],
    ],
    ['over a link to a folder', { d: { l: '→ ../y/a' }, y: '→ x', x: { a: 'A' } }, 'd', ['d/l = A']],
    [
      'a chain',
      { d: { a: 'A', l1: '→ l2', l2: '→ l3', l3: '→ a' } },
      'd',
      ['d/a = A', 'd/l1 = A', 'd/l2 = A', 'd/l3 = A'],
    ],
    ['the same folder twice', { d: { p: '→ ../x', q: '→ ../x' }, x: { a: 'A' } }, 'd', ['d/p/a = A', 'd/q/a = A']],
    ['the path itself is one', { d: '→ x', x: { a: 'A' } }, 'd', ['d/a = A']],
    ['absolute', { d: { l: '→ /etc/passwd' } }, 'd', ['d/l ! SymlinkOutside']],
    ['beyond the root', { d: { l: '→ ../../x' } }, 'd', ['d/l ! SymlinkOutside']],
    ['beyond the root and back', { d: { l: '→ ../../d/a', a: 'A' } }, 'd', ['d/a = A', 'd/l ! SymlinkOutside']],
    ['to nothing', { d: { l: '→ nope' } }, 'd', ['d/l ! SymlinkBroken']],
    ['through a file', { d: { a: 'A', l: '→ a/b' } }, 'd', ['d/a = A', 'd/l ! SymlinkBroken']],
    ['empty', { d: { l: '→ ' } }, 'd', ['d/l ! SymlinkBroken']],
    ['to itself', { d: { l: '→ l' } }, 'd', ['d/l ! SymlinkBroken']],
    ['two to each other', { d: { l: '→ m', m: '→ l' } }, 'd', ['d/l ! SymlinkBroken', 'd/m ! SymlinkBroken']],
    ['to its own folder', { d: { a: 'A', l: '→ .' } }, 'd', ['d/a = A', 'd/l ! SymlinkBroken']],
    ['to the folder above', { d: { e: { l: '→ ..' } } }, 'd', ['d/e/l ! SymlinkBroken']],
    ['a circle over two folders', { d: { l: '→ ../x' }, x: { m: '→ ../d' } }, 'd', ['d/l/m ! SymlinkBroken']],
    ['a circle over the root', { d: { l: '→ ..' } }, 'd', ['d/l ! SymlinkBroken']],
    ['to a submodule', { d: { l: '→ ../s' }, s: '#' }, 'd', ['d/l ! Submodule']],
    ['into a submodule', { d: { l: '→ ../s/a' }, s: '#' }, 'd', ['d/l ! Submodule']],
  ];
  for (const [what, folder, path, files] of cases) {
    test(what, async () => assert.deepEqual(await list(folder, path), files));
  }

  test('a chain of 16 is followed, one of 17 not', async () => {
    const chain: Folder = { a: 'A' };
    for (let hop = 1; hop <= 17; hop += 1)
      chain[`l${String(hop).padStart(2, '0')}`] = hop === 1 ? '→ a' : `→ l${String(hop - 1).padStart(2, '0')}`;
    const files = await list(chain, '');
    assert.deepEqual(files.slice(-2), ['l16 = A', 'l17 ! SymlinkBroken']);
  });

  test('missing link targets are named all at once', async () => {
    const objects = new Objects();
    const root = objects.add({ a: '→ x', b: '→ y', x: 'X', y: 'Y' });
    const known = objects.blobs;
    const walked = await walkTree(root, [], { tree: (oid) => objects.tree(oid), blob: async () => undefined }, LIMITS);
    assert.ok(walked.kind === 'missing-blobs');
    assert.deepEqual(walked.oids.map((oid) => String(known.get(oid))).sort(), ['x', 'y']);
  });
});

suite('equal tree ids mean equal content', () => {
  async function treeId(folder: Folder, path: string): Promise<string> {
    const walked = await walk(folder, path);
    assert.ok(walked.kind === 'complete');
    return walked.treeId;
  }

  test('a change elsewhere does not show', async () => {
    assert.equal(await treeId({ d: { a: 'A' }, x: '1' }, 'd'), await treeId({ d: { a: 'A' }, x: '2' }, 'd'));
  });

  const links: [string, (content: string) => Folder][] = [
    ['a file that a link brings in', (content) => ({ d: { l: '→ ../x' }, x: content })],
    ['a folder that a link brings in', (content) => ({ d: { l: '→ ../x' }, x: { s: { a: content } } })],
    [
      'what a link in a linked folder brings in',
      (content) => ({ d: { l: '→ ../x' }, x: { m: '→ ../y' }, y: { a: content } }),
    ],
  ];
  for (const [what, folder] of links) {
    test(`${what} shows`, async () => assert.notEqual(await treeId(folder('1'), 'd'), await treeId(folder('2'), 'd')));
  }
});

suite('refusals', () => {
  test('a submodule and an unreadable name are problems of that entry', async () => {
    assert.deepEqual(await list({ d: { s: '#', 'a\tb': '1', z: 'Z' } }, 'd'), [
      'd/a\\x09b ! UnreadableName',
      'd/s ! Submodule',
      'd/z = Z',
    ]);
  });

  test('a missing tree is told apart from an empty one', async () => {
    const objects = new Objects();
    const root = objects.add({ d: { a: 'A' } });
    const reader = {
      tree: async (oid: string) => (oid === root ? objects.tree(oid) : undefined),
      blob: async () => undefined,
    };
    assert.deepEqual(await walkTree(root, [], reader, LIMITS), { kind: 'missing-tree' });
  });

  let deep: Folder = { a: 'A' };
  for (let depth = 0; depth < 65; depth += 1) deep = { d: deep };
  // Every folder holds two links to the next: 2^20 folders without a single file.
  const fan: Folder = { f20: {} };
  for (let level = 0; level < 20; level += 1) fan[`f${level}`] = { p: `→ ../f${level + 1}`, q: `→ ../f${level + 1}` };
  const caps: [string, Folder, string][] = [
    ['treeDepth', deep, ''],
    ['fileCount', Object.fromEntries(Array.from({ length: 1001 }, (_, index) => [`f${index}`, ''])), ''],
    ['fileCount', fan, 'f0'],
  ];
  for (const [limit, folder, path] of caps) {
    test(`a cap is an error that names it: ${limit}`, async () => {
      await assert.rejects(walk(folder, path), { code: 'GitLimitExceeded', message: new RegExp(limit) });
    });
  }

  test('a hostile entry is refused wherever below the path it lies', async () => {
    await assert.rejects(walk({ d: { e: { '.git': { config: '' } } } }, 'd'), { code: 'HostileTree', message: /d\/e/ });
  });
});

void test('what one walk has parsed the next one need not read, of the same mirror and within bounds', async () => {
  const objects = new Objects();
  const root = objects.add({ a: { 'x.yaml': 'x' }, b: { 'y.yaml': 'y' } });
  const trees = new ParsedTrees();
  const reads: string[] = [];
  const walkIn = async (mirror: string, path: string) => {
    const tree = (oid: string) => (reads.push(oid), objects.tree(oid));
    const reader = { tree, blob: (oid: string) => objects.blob(oid), parsed: trees.within(mirror) };
    const walked = await walkTree(root, [path], reader, LIMITS);
    assert.ok(walked.kind === 'complete');
    assert.deepEqual(
      walked.files.map((file) => file.path),
      [path === 'a' ? 'a/x.yaml' : 'b/y.yaml'],
    );
    return reads.splice(0).length;
  };
  assert.deepEqual([await walkIn('m', 'a'), await walkIn('m', 'b'), await walkIn('m', 'a')], [2, 1, 0]);
  assert.equal(await walkIn('other', 'a'), 2);
  const entry = { kind: 'file' as const, name: 'f', oid: root };
  for (const oid of ['1', '2', '3'])
    trees.within('m').set(
      oid,
      Array.from({ length: 9_000 }, () => entry),
    );
  assert.deepEqual(
    [root, '1', '2', '3'].map((oid) => trees.within('m').get(oid) !== undefined),
    [false, false, true, true],
  );
  trees.within('m').set(
    'large',
    Array.from({ length: 20_001 }, () => entry),
  );
  assert.equal(trees.within('m').get('large'), undefined);
});
