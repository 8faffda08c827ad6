// `plumbline` as a process, without a cluster: what it prints and how it ends.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { cli, cliWith, folder, HOST, LISTENER, mapping } from './cli-process.ts';
import { sarifProblems } from './sarif.ts';

const CLEAN = { 'host.yaml': HOST, 'listener.yaml': LISTENER, 'a.yaml': mapping('a', { prefix: '/a/' }) };
const STOLEN = { 'b.yaml': mapping('b', { prefix: '/a/' }, 'team-b') };

describe('usage', () => {
  it('--help lists the commands, help COMMAND its flags', async () => {
    assert.match((await cli('--help')).stdout, /lint .*\n.*routes .*\n.*diff /);
    assert.match((await cli('help', 'lint')).stdout, /--emissary-version/);
  });

  it('--version says which one runs', async () => {
    for (const args of [['--version'], ['version']])
      assert.match((await cli(...args)).stdout, /^plumbline \d+\.\d+\.\d+\n$/);
  });

  for (const args of [
    ['unknown'],
    ['lint', '--unknown'],
    ['lint', '-o', 'xml'],
    ['lint', '--source', 'x'],
    ['lint', '--source', 'x/y=a', '--source', 'x/y=b'],
    ['lint', 'a', 'a/b'],
    ['lint', '--context', 'x'],
    ['lint', '--namespace='],
    ['lint', '--ignore', 'EM010,EM999', 'src/cli'],
    ['diff', '--fail-on', 'warning'],
    ['routes', '--path', '/x'],
    ['routes', '--method', 'PUT'],
  ]) {
    it(`${args.join(' ')} is refused in one line`, async () => {
      const { code, stderr } = await cli(...args);
      assert.equal(code, 2);
      assert.match(stderr, /^plumbline: InvalidUsage: .+\n$/);
    });
  }

  it('not one object below a path is an error: such a check would always pass', async () => {
    using dir = folder({ 'README.md': 'nothing', ...CLEAN });
    const { code, stdout } = await cli('lint', '--exclude', '*.yaml', dir.path);
    assert.equal(code, 2);
    assert.match(stdout, /EmptyRevision/);
  });

  it('a file of another suffix is not read, and the error says so', async () => {
    using dir = folder({ 'edge.txt': HOST });
    const { code, stdout } = await cli('lint', join(dir.path, 'edge.txt'));
    assert.equal(code, 2);
    assert.match(stdout, /not one Kubernetes object in a file \.yaml, \.yml or \.json/);
  });

  it('a folder that does not exist is an error', async () => {
    const { code, stderr } = await cli('lint', '/nowhere/at/all');
    assert.equal(code, 2);
    assert.match(stderr, /^plumbline: WorkingCopyUnreadable: \/nowhere\/at\/all: .+\n$/);
  });
});

describe('lint', () => {
  it('reads one file, and what another program writes', async () => {
    const stream = ['', ...Object.values(CLEAN), ...Object.values(STOLEN)].join('\n---\n');
    using dir = folder({ 'all.yaml': stream, 'broken.yaml': 'a: [' });
    assert.equal((await cli('lint', join(dir.path, 'all.yaml'))).code, 1);
    const { code, stdout } = await cliWith(stream, 'lint', '-');
    assert.equal(code, 1);
    assert.match(stdout, /EM010 .*stdin\.yaml:\d+/);
  });

  it('finds nothing wrong: 0', async () => {
    using dir = folder(CLEAN);
    assert.deepEqual(await cli('lint', dir.path, '-o', 'json').then(({ code }) => code), 0);
  });

  it('takes no Host that Emissary makes of an Ingress for all the Hosts that there are', async () => {
    const http = {
      paths: [{ path: '/a/', pathType: 'Prefix', backend: { service: { name: 'a', port: { number: 80 } } } }],
    };
    const ingress = {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'Ingress',
      metadata: { name: 'web', namespace: 'team-a', annotations: { 'kubernetes.io/ingress.class': 'ambassador' } },
      spec: { tls: [{ hosts: ['web.example.com'], secretName: 's' }], rules: [{ host: 'web.example.com', http }] },
    };
    using dir = folder({ 'ingress.json': JSON.stringify(ingress), 'b.yaml': mapping('b', { prefix: '/b/' }) });
    const { code, stdout } = await cli('lint', dir.path);
    assert.equal(code, 0, stdout);
    assert.match(
      stdout,
      /warning EM031 Mapping team-a\/b .*\n.*no Host is among these files: another repository may hold it/,
    );
    using whole = folder({ 'host.yaml': HOST, 'c.yaml': mapping('c', { prefix: '/c/', hostname: 'c.example.com' }) });
    assert.match((await cli('lint', whole.path)).stdout, /error EM031 Mapping team-a\/c/);
  });

  it('names both sides of a collision of two repositories: 1', async () => {
    using first = folder(CLEAN);
    using second = folder(STOLEN);
    const sources = ['--source', `shop/a=${first.path}`, '--source', `shop/b=${second.path}`];
    const { code, stdout } = await cli('lint', ...sources, '-o', 'json');
    assert.equal(code, 1);
    const { findings } = JSON.parse(stdout) as { findings: { rule: string; object: Named; other: Named }[] };
    const collision = findings.find(({ rule }) => rule === 'EM010');
    assert.ok(collision);
    const sides = [collision.object, collision.other].map(({ origin }) => origin.source).sort();
    assert.deepEqual(sides, ['shop/a', 'shop/b']);
    for (const { origin } of [collision.object, collision.other]) assert.match(origin.file, /[ab]\.yaml$/);
    assert.equal((await cli('lint', ...sources, '--ignore', 'EM010')).code, 0);
  });

  it('a broken file is told with its line, the others are still judged: 2', async () => {
    using dir = folder({ ...CLEAN, ...STOLEN, 'broken.yaml': 'apiVersion: v1\nkind: [\n' });
    const { code, stdout } = await cli('lint', dir.path);
    assert.equal(code, 2);
    assert.match(stdout, /InvalidYaml .*broken\.yaml:\d+/);
    assert.match(stdout, /EM010/);
  });

  it('leaves out what .plumblineignore says, and never follows a link out of the folder', async () => {
    using dir = folder({ ...CLEAN, 'b/broken.yaml': 'a: [', '.plumblineignore': 'b/\n' });
    assert.equal((await cli('lint', dir.path)).code, 0);
    dir.link('/etc', 'outside.yaml');
    const { code, stdout } = await cli('lint', dir.path);
    assert.equal(code, 2);
    assert.match(stdout, /SymlinkOutside/);
  });

  it('says what the gateway does not read: nothing wrong was found there only because nobody looked', async () => {
    const spec = { ambassadorId: 'default', emissaryVersion: '4.1.0', labelSelector: 'edge=public' };
    const policy = { apiVersion: 'plumbline.dev/v1alpha1', kind: 'EdgePolicy', metadata: { name: 'public' }, spec };
    using dir = folder({ ...CLEAN, ...STOLEN, 'policy.yaml': JSON.stringify(policy) });
    const { code, stdout } = await cli('lint', dir.path);
    assert.equal(code, 0);
    assert.match(stdout, /^4 objects of these files are not judged: .*edge=public/m);
  });

  it('writes SARIF with its rules, places and levels', async () => {
    using dir = folder({ ...CLEAN, ...STOLEN });
    const { stdout } = await cli('lint', dir.path, '-o', 'sarif');
    const sarif = JSON.parse(stdout) as Sarif;
    assert.deepEqual(sarifProblems(sarif), []);
    assert.equal(sarif.version, '2.1.0');
    const [run] = sarif.runs;
    const [result] = run!.results;
    assert.equal(run!.tool.driver.name, 'plumbline');
    assert.equal(run!.tool.driver.rules[result!.ruleIndex]!.id, result!.ruleId);
    assert.equal(result!.level, 'error');
    assert.match(result!.message.text, /goes to team-b\/b\. Give one /);
    assert.match(result!.locations[0]!.physicalLocation.artifactLocation.uri, /[ab]\.yaml$/);
    assert.equal(result!.locations[0]!.physicalLocation.region.startLine, 1);
  });

  it('writes Markdown in which nothing of a repository is markup', async () => {
    using dir = folder({
      ...CLEAN,
      'b.yaml': mapping('b', { prefix: '/a/|<img>`' }),
      'c.yaml': mapping('c', { prefix: '/a/|<img>`' }, 'team-b'),
    });
    const { stdout } = await cli('lint', dir.path, '-o', 'markdown');
    assert.match(stdout, /^## Plumbline: the edge\n/);
    const row = stdout.split('\n').find((line) => line.includes('EM010'))!;
    assert.equal(row.replaceAll('\\|', '').split('|').length, 6, row);
  });

  it('writes no more Markdown than a comment takes, and says so', async () => {
    const names = Array.from({ length: 60 }, (_, index) => `${'a-long-name-'.repeat(10)}${index}`);
    const taken = (namespace: string) => names.map((name) => mapping(name, { prefix: `/${name}/` }, namespace));
    using dir = folder({ ...CLEAN, 'all.yaml': ['', ...taken('team-a'), ...taken('team-b')].join('\n---\n') });
    const { stdout } = await cli('lint', dir.path, '-o', 'markdown', '--show', 'info');
    assert.ok(stdout.length < 65_536, String(stdout.length));
    assert.match(stdout, /^…the rest is left out/m);
    assert.equal(stdout.match(/<details>/g)?.length, stdout.match(/<\/details>/g)?.length);
  });

  it('writes Markdown that rewrites no terminal and hides no direction when it is shown in a log', async () => {
    const prefix = '/a/\u001b[2J\u001b]8;;http://example.com\u0007\u202e';
    using dir = folder({
      ...CLEAN,
      'b\u001b[31m.yaml': mapping('b', { prefix }),
      'c.yaml': mapping('c', { prefix }, 'team-b'),
      'd\u001b[32m.yaml': '[',
    });
    for (const command of ['lint', 'routes']) {
      const { stdout } = await cli(command, dir.path, '-o', 'markdown');
      assert.match(stdout, /\\u001b|&#92;u001b/, command);
      // eslint-disable-next-line no-control-regex
      assert.doesNotMatch(stdout, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e]/, command);
    }
  });

  it('prints colours only to a terminal', async () => {
    using dir = folder({ ...CLEAN, ...STOLEN });
    assert.ok(!(await cli('lint', dir.path)).stdout.includes('\u001b'));
  });
});

describe('routes', () => {
  it('shows who serves what, from which file', async () => {
    using dir = folder({
      ...CLEAN,
      'canary.yaml': mapping('a-canary', { prefix: '/a/', weight: 10, service: 'next' }),
    });
    const { code, stdout } = await cli('routes', dir.path, '-o', 'json');
    assert.equal(code, 0);
    const [route] = (JSON.parse(stdout) as { routes: Table[] }).routes;
    assert.equal(route!.host, 'a.example.com');
    assert.deepEqual(
      route!.members.map(({ share, service, statsName }) => [share, service, statsName]),
      [
        [10, 'next.team-a:80', 'next_team_a'],
        [90, 'svc.team-a:80', 'svc_team_a'],
      ],
    );
  });

  it('calls nothing live without a cluster', async () => {
    using dir = folder(CLEAN);
    const own = ['routes', dir.path, '--host', 'a.example.com', '--path', '/ambassador/v0/check_ready'];
    assert.match((await cli(...own)).stdout, /InternalMapping .* {2}Emissary's own$/m);
    assert.match(
      (await cli('lint', dir.path, '--show', 'info')).stdout,
      /EM087 Module emissary\/ambassador {2}not there$/m,
    );
    const tables = [...own, '-o', 'markdown'];
    assert.doesNotMatch((await cli(...tables)).stdout, /live/);
  });

  it('names the host of a Mapping that is for one name of a wider Host only', async () => {
    const wide = HOST.replace('"hostname":"a.example.com"', '"hostname":"*.example.com"');
    using dir = folder({
      ...CLEAN,
      'host.yaml': wide,
      'all.yaml': mapping('all', { hostname: '*.example.com', prefix: '/all/' }),
    });
    const { stdout } = await cli('routes', dir.path);
    assert.match(stdout, /^\*\.example\.com +\/a\/ host: a\.example\.com +100%/m);
    const other = await cli('routes', dir.path, '--host', 'b.example.com');
    assert.doesNotMatch(other.stdout, /\/a\//);
  });

  it('of a host that nothing serves it says so', async () => {
    using dir = folder(CLEAN);
    assert.match((await cli('routes', dir.path, '--host', 'b.example.org')).stdout, /^no routes for b\.example\.org$/m);
  });

  it('says who serves a request, and that nobody does', async () => {
    using dir = folder(CLEAN);
    const served = await cli('routes', dir.path, '--host', 'a.example.com', '--path', '/a/b?c=d', '--scheme', 'http');
    assert.equal(served.code, 0);
    assert.match(served.stdout, /100% svc\.team-a:80 {2}Mapping team-a\/a .*a\.yaml:1/);
    const nobody = await cli('routes', dir.path, '--host', 'a.example.com', '--path', '/other');
    assert.equal(nobody.code, 1);
    assert.match(nobody.stdout, /100% 404/);
  });
});

interface Named {
  origin: { source: string; file: string };
}

interface Table {
  host: string;
  members: { share: number; service: string; statsName: string }[];
}

interface Sarif {
  version: string;
  runs: {
    tool: { driver: { name: string; rules: { id: string }[] } };
    results: {
      ruleId: string;
      ruleIndex: number;
      level: string;
      message: { text: string };
      locations: { physicalLocation: { artifactLocation: { uri: string }; region: { startLine: number } } }[];
    }[];
  }[];
}
