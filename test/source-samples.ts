// One table of specs with the verdict that both zod and the API server must come to. A sample is laid over the smallest
// good spec; `wrong` names the field that parseSpec must blame.

export interface Sample {
  title: string;
  spec: unknown;
  /** The field to blame; absent in a good sample. */
  wrong?: string;
}

const url = 'https://git.example.com/team/config.git';
const commit = '0123456789abcdef0123456789abcdef01234567';
const long = (length: number) => 'a'.repeat(length);

function good(title: string, spec: Record<string, unknown>): Sample {
  return { title, spec: { url, ...spec } };
}

function oneWindow(window: Record<string, unknown>) {
  return { windows: [{ schedule: '0 22 * * *', duration: '8h', for: 'sync', effect: 'allow', ...window }] };
}

function bad(title: string, wrong: string, spec: Record<string, unknown>): Sample {
  return { title, wrong, spec: { url, ...spec } };
}

export const SAMPLES: Sample[] = [
  good('the smallest', {}),
  good('everything at once', {
    ref: { tag: 'v1.2.3' },
    path: 'clusters/production',
    include: ['**/*.yaml'],
    exclude: ['**/test/**', '!keep'],
    interval: '1m30s',
    timeout: '2m',
    retryInterval: '10s',
    secretRef: { name: 'git.credentials' },
    insecure: true,
    suspend: true,
    prune: false,
    pruneGuard: { maxCount: 5, maxPercent: 10 },
    targetNamespace: 'shop',
    commonMetadata: { labels: { team: 'shop', 'example.com/tier': '' }, annotations: { 'example.com/note': 'a b' } },
    serviceAccountName: 'deployer',
    drift: {
      mode: 'Report',
      ignore: [
        { paths: ['/spec/replicas'], target: { group: 'apps', kind: 'Deployment', namespace: 'shop', name: 'web' } },
        { paths: ['/metadata/annotations/example.com~1note', '/data/~0x', '/spec/containers[name=app]/image'] },
        {
          paths: ['/spec/replicas', '/spec/template/spec/containers[*]/image'],
          target: {
            name: 'web-*',
            labelSelector: {
              matchLabels: { autoscaled: 'true' },
              matchExpressions: [
                { key: 'tier', operator: 'In', values: ['front'] },
                { key: 'legacy', operator: 'DoesNotExist' },
              ],
            },
          },
          managers: ['image-updater', 'flagger*'],
        },
      ],
      values: 'Hash',
    },
    edge: { mode: 'Warn', failOn: 'Warning', tlsFloor: 'v1.3' },
    sync: 'Manual',
    ...oneWindow({ timeZone: 'Europe/Berlin' }),
    adoption: 'Refuse',
    atomic: true,
    wait: true,
    force: true,
    deletionPolicy: 'Orphan',
    dependsOn: [{ name: 'base' }, { name: 'crds', namespace: 'default' }],
  }),
  good('a field that nobody knows is dropped', { colour: 'blue' }),
  bad('a mode of the edge that there is none of', 'spec.edge.mode', { edge: { mode: 'Deny' } }),
  bad('a version of TLS as others write it', 'spec.edge.tlsFloor', { edge: { tlsFloor: 'TLSv1_2' } }),
  good('null counts as absent', {
    path: null,
    ref: null,
    interval: null,
    drift: null,
    commonMetadata: { labels: null },
  }),
  { title: 'no spec at all', spec: undefined, wrong: 'spec' },
  { title: 'a spec that is a list', spec: [], wrong: 'spec' },
  { title: 'a spec that is text', spec: 'https://git.example.com', wrong: 'spec' },
  { title: 'an empty spec', spec: {}, wrong: 'spec.url' },

  good('a URL with a port', { url: 'https://git.example.com:8443/a/b' }),
  good('a URL with an IPv6 address', { url: 'https://[2001:db8::1]/a' }),
  good('a URL with ~ and %20', { url: 'https://git.example.com/~me/a%20b' }),
  good('http to 127.0.0.1', { url: 'http://127.0.0.1:8080/a' }),
  good('http to localhost', { url: 'http://localhost/a' }),
  good('http to ::1', { url: 'http://[::1]:80/a' }),
  good('http anywhere with insecure', { url: 'http://git.example.com/a', insecure: true }),
  bad('http anywhere', 'spec.url', { url: 'http://git.example.com/a' }),
  bad('http to a host that only begins like loopback', 'spec.url', { url: 'http://127.0.0.1.example.com/a' }),
  bad('http to a host named like localhost', 'spec.url', { url: 'http://localhost.example.com/a' }),
  bad('null where a value is required', 'spec.url', { url: null }),
  bad('an empty URL', 'spec.url', { url: '' }),
  bad('ssh', 'spec.url', { url: 'ssh://git@git.example.com/a' }),
  bad('scp-like', 'spec.url', { url: 'git@git.example.com:a/b' }),
  bad('file', 'spec.url', { url: 'file:///etc/passwd' }),
  bad('an upper-case scheme', 'spec.url', { url: 'HTTPS://git.example.com/a' }),
  bad('credentials in the URL', 'spec.url', { url: 'https://me:secret@git.example.com/a' }),
  bad('a query', 'spec.url', { url: 'https://git.example.com/a?x=1' }),
  bad('a fragment', 'spec.url', { url: 'https://git.example.com/a#x' }),
  bad('a space', 'spec.url', { url: 'https://git.example.com/a b' }),
  bad('a line break', 'spec.url', { url: 'https://git.example.com/a\nHost: evil' }),
  bad('a line break at the end', 'spec.url', { url: 'https://git.example.com/a\n' }),
  bad('no host', 'spec.url', { url: 'https:///a' }),
  bad('a URL that is too long', 'spec.url', { url: `https://git.example.com/${long(2048)}` }),
  bad('a number as URL', 'spec.url', { url: 7 }),

  good('a branch', { ref: { branch: 'feature/new-thing_1.x' } }),
  good('a branch outside of ASCII', { ref: { branch: 'änderung' } }),
  good('a semver range', { ref: { semver: '>=1.2.0 <2.0.0 || 3.x' } }),
  good('a commit', { ref: { commit } }),
  good('a full name', { ref: { name: 'refs/pull/7/head' } }),
  bad('an empty ref', 'spec.ref', { ref: {} }),
  bad('two refs', 'spec.ref', { ref: { branch: 'main', tag: 'v1' } }),
  bad('three refs', 'spec.ref', { ref: { branch: 'main', semver: '1.x', commit } }),
  bad('an empty branch', 'spec.ref.branch', { ref: { branch: '' } }),
  bad('a branch with ..', 'spec.ref.branch', { ref: { branch: 'a..b' } }),
  bad('a branch like an option', 'spec.ref.branch', { ref: { branch: '--upload-pack=x' } }),
  bad('a branch with a space', 'spec.ref.branch', { ref: { branch: 'a b' } }),
  bad('a branch with a control character', 'spec.ref.branch', { ref: { branch: 'a\u0001b' } }),
  bad('a tag that ends with .lock', 'spec.ref.tag', { ref: { tag: 'v1.lock' } }),
  bad('a tag with @{', 'spec.ref.tag', { ref: { tag: 'v1@{0}' } }),
  bad('a short commit', 'spec.ref.commit', { ref: { commit: commit.slice(0, 7) } }),
  bad('an upper-case commit', 'spec.ref.commit', { ref: { commit: commit.toUpperCase() } }),
  bad('a name that is not full', 'spec.ref.name', { ref: { name: 'main' } }),
  bad('a semver range with a semicolon', 'spec.ref.semver', { ref: { semver: '1.x; rm' } }),
  bad('a ref that is text', 'spec.ref', { ref: 'main' }),

  good('a path with a dot', { path: './clusters/a/' }),
  good('the root as a dot', { path: '.' }),
  good('a path with dots in a name', { path: 'a..b/..c' }),
  bad('an absolute path', 'spec.path', { path: '/etc' }),
  bad('a path that leaves', 'spec.path', { path: 'a/../../b' }),
  bad('a path that is ..', 'spec.path', { path: '..' }),
  bad('a path with a NUL', 'spec.path', { path: 'a\u0000b' }),
  bad('a path with a backslash', 'spec.path', { path: 'a\\b' }),
  bad('a path that is too long', 'spec.path', { path: long(1025) }),
  bad('an empty glob', 'spec.include[0]', { include: [''] }),
  bad('a glob that is null', 'spec.exclude[1]', { exclude: ['a', null] }),
  bad('too many globs', 'spec.exclude', { exclude: Array.from({ length: 65 }, (_, index) => `${index}`) }),

  good('the shortest interval', { interval: '1s' }),
  good('an interval in milliseconds', { interval: '1000ms' }),
  good('a broken interval', { interval: '1.5m' }),
  good('the longest interval', { interval: '24h' }),
  bad('an interval that is too short', 'spec.interval', { interval: '999ms' }),
  bad('an interval that is too long', 'spec.interval', { interval: '24h1ms' }),
  bad('an interval beyond any clock', 'spec.interval', { interval: '99999999999999999999h' }),
  bad('an interval without unit', 'spec.interval', { interval: '15' }),
  bad('an interval in days', 'spec.interval', { interval: '1d' }),
  bad('a negative interval', 'spec.interval', { interval: '-1m' }),
  bad('an interval in ISO 8601', 'spec.interval', { interval: 'PT15S' }),
  bad('an interval with a space', 'spec.interval', { interval: '1m 30s' }),
  bad('an empty interval', 'spec.interval', { interval: '' }),
  bad('an interval as a number', 'spec.interval', { interval: 15 }),
  bad('a timeout that is too long', 'spec.timeout', { timeout: '61m' }),
  bad('a retryInterval of nothing', 'spec.retryInterval', { retryInterval: '0s' }),

  bad('a secret without name', 'spec.secretRef.name', { secretRef: {} }),
  bad('a secret of another namespace', 'spec.secretRef.name', { secretRef: { name: 'other/git' } }),
  bad('prune as text', 'spec.prune', { prune: 'true' }),
  bad('suspend as a number', 'spec.suspend', { suspend: 1 }),
  good('a guard of nothing', { pruneGuard: { maxCount: 0, maxPercent: 0 } }),
  good('a guard that is off', { pruneGuard: { maxPercent: 100 } }),
  bad('a guard above 100 percent', 'spec.pruneGuard.maxPercent', { pruneGuard: { maxPercent: 101 } }),
  bad('a negative guard', 'spec.pruneGuard.maxCount', { pruneGuard: { maxCount: -1 } }),
  bad('half an object', 'spec.pruneGuard.maxCount', { pruneGuard: { maxCount: 1.5 } }),
  bad('percent as text', 'spec.pruneGuard.maxPercent', { pruneGuard: { maxPercent: '50%' } }),
  bad('an upper-case namespace', 'spec.targetNamespace', { targetNamespace: 'Shop' }),
  bad('a namespace with a dot', 'spec.targetNamespace', { targetNamespace: 'a.b' }),
  bad('a namespace that is too long', 'spec.targetNamespace', { targetNamespace: long(64) }),
  bad('a service account of another namespace', 'spec.serviceAccountName', { serviceAccountName: 'kube-system:admin' }),

  bad('a label key of ours', 'spec.commonMetadata.labels', {
    commonMetadata: { labels: { 'plumbline.dev/name': 'x' } },
  }),
  bad('an annotation key of ours', 'spec.commonMetadata.annotations', {
    commonMetadata: { annotations: { 'plumbline.dev/owner': 'x' } },
  }),
  bad('a label key with a space', 'spec.commonMetadata.labels', { commonMetadata: { labels: { 'a b': 'x' } } }),
  bad('a label value with a space', 'spec.commonMetadata.labels.team', { commonMetadata: { labels: { team: 'a b' } } }),
  bad('a label value as a number', 'spec.commonMetadata.labels.team', { commonMetadata: { labels: { team: 7 } } }),
  bad('too many labels', 'spec.commonMetadata.labels', {
    commonMetadata: { labels: Object.fromEntries(Array.from({ length: 33 }, (_, index) => [`k${index}`, 'x'])) },
  }),

  bad('an unknown drift mode', 'spec.drift.mode', { drift: { mode: 'heal' } }),
  bad('an unknown way to show values', 'spec.drift.values', { drift: { values: 'Some' } }),
  bad('an ignore rule without paths', 'spec.drift.ignore[0].paths', {
    drift: { ignore: [{ target: { kind: 'Service' } }] },
  }),
  bad('an ignore rule for no manager', 'spec.drift.ignore[0].managers', {
    drift: { ignore: [{ paths: ['/a'], managers: [] }] },
  }),
  bad('a requirement without values', 'spec.drift.ignore[0].target.labelSelector.matchExpressions[0].values', {
    drift: {
      ignore: [{ paths: ['/a'], target: { labelSelector: { matchExpressions: [{ key: 'a', operator: 'In' }] } } }],
    },
  }),
  bad('a requirement with values', 'spec.drift.ignore[0].target.labelSelector.matchExpressions[0].values', {
    drift: {
      ignore: [
        {
          paths: ['/a'],
          target: { labelSelector: { matchExpressions: [{ key: 'a', operator: 'Exists', values: ['b'] }] } },
        },
      ],
    },
  }),
  bad('another wish for foreign fields', 'spec.drift.foreignFields', { drift: { foreignFields: 'Drop' } }),
  bad('an ignore rule with no path', 'spec.drift.ignore[0].paths', { drift: { ignore: [{ paths: [] }] } }),
  bad('a path with dots', 'spec.drift.ignore[0].paths[0]', { drift: { ignore: [{ paths: ['spec.replicas'] }] } }),
  bad('the pointer to everything', 'spec.drift.ignore[0].paths[0]', { drift: { ignore: [{ paths: [''] }] } }),
  bad('a pointer with a broken escape', 'spec.drift.ignore[0].paths[1]', {
    drift: { ignore: [{ paths: ['/a', '/b~2'] }] },
  }),
  good('a window', oneWindow({})),
  good('no windows', { windows: [] }),
  good(
    'a window that denies healing, in Berlin',
    oneWindow({ timeZone: 'Europe/Berlin', for: 'heal', effect: 'deny' }),
  ),
  good('a time zone of three parts', oneWindow({ timeZone: 'America/Argentina/Buenos_Aires' })),
  good(
    'a schedule with lists, ranges, steps and names',
    oneWindow({ schedule: '0,30 8-18/2 1-7 jan-mar Mon,WED-FRI' }),
  ),
  good('a schedule with several spaces', oneWindow({ schedule: '*/5  *  * * 7' })),
  good('a leap day', oneWindow({ schedule: '0 0 29 2 *' })),
  bad('a window without schedule', 'spec.windows[0].schedule', oneWindow({ schedule: undefined })),
  bad('a window without duration', 'spec.windows[0].duration', oneWindow({ duration: undefined })),
  bad('a window for nothing', 'spec.windows[0].for', oneWindow({ for: undefined })),
  bad('a window without effect', 'spec.windows[0].effect', oneWindow({ effect: undefined })),
  bad('a window for something else', 'spec.windows[0].for', oneWindow({ for: 'prune' })),
  bad('a window of another effect', 'spec.windows[0].effect', oneWindow({ effect: 'Deny' })),
  bad('a schedule of four fields', 'spec.windows[0].schedule', oneWindow({ schedule: '0 22 * *' })),
  bad('a schedule with seconds', 'spec.windows[0].schedule', oneWindow({ schedule: '0 0 22 * * *' })),
  bad('a minute that there is none of', 'spec.windows[0].schedule', oneWindow({ schedule: '60 22 * * *' })),
  bad('an hour that there is none of', 'spec.windows[0].schedule', oneWindow({ schedule: '0 24 * * *' })),
  bad('a month that there is none of', 'spec.windows[0].schedule', oneWindow({ schedule: '0 22 * FOO *' })),
  bad('a schedule in words', 'spec.windows[0].schedule', oneWindow({ schedule: '@daily' })),
  bad('a step of nothing', 'spec.windows[0].schedule', oneWindow({ schedule: '*/0 * * * *' })),
  bad('a window of seconds', 'spec.windows[0].duration', oneWindow({ duration: '30s' })),
  bad('a window of years', 'spec.windows[0].duration', oneWindow({ duration: '9000h' })),
  bad('an unknown time zone', 'spec.windows[0].timeZone', oneWindow({ timeZone: 'Mars/Base' })),
  bad('an offset for a time zone', 'spec.windows[0].timeZone', oneWindow({ timeZone: '+02:00' })),
  bad('the time zone of the machine', 'spec.windows[0].timeZone', oneWindow({ timeZone: 'Local' })),
  bad('too many windows', 'spec.windows', { windows: Array.from({ length: 33 }, () => oneWindow({}).windows[0]) }),
  bad('an unknown way to sync', 'spec.sync', { sync: 'auto' }),
  bad('an unknown adoption', 'spec.adoption', { adoption: 'Ask' }),
  bad('an unknown deletion policy', 'spec.deletionPolicy', { deletionPolicy: 'delete' }),
  bad('a dependency without name', 'spec.dependsOn[0].name', { dependsOn: [{ namespace: 'default' }] }),
  bad('too many dependencies', 'spec.dependsOn', {
    dependsOn: Array.from({ length: 17 }, (_, index) => ({ name: `a${index}` })),
  }),
];
