import { validRange } from 'semver';
import * as z from 'zod';
import { edgeMode, failOn, tlsFloor } from './edge-fields.ts';
import { GROUP } from './names.ts';
import { celPattern, duration, matching, namespaceName, notMatching, objectName, text, withRules } from './fields.ts';
import { windows } from './windows.ts';

// One schema is the type, the validation and the CRD; the descriptions are what `kubectl explain` and docs/reference show.
// Names are Flux's wherever the meaning is the same.

const LOOPBACK_HTTP = /^http:\/\/(localhost|127(\.[0-9]{1,3}){3}|\[::1\])([:/]|$)/;

const url = withRules(
  text(
    2048,
    'Where the repository is: https://host/path. Plain http is for a loopback address, or anywhere with insecure: true. ' +
      'Credentials do not belong here: name a Secret in secretRef.',
  ),
  matching(/^https?:\/\//, 'must begin with https://'),
  notMatching(/^https?:\/\/[^/]*@/, 'must not hold credentials: put them into a Secret and name it in secretRef'),
  matching(
    /^https?:\/\/([A-Za-z0-9]([-A-Za-z0-9.]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?(\/[-A-Za-z0-9._~%!$&()*+,;=:@/]*)?$/,
    'must be a host, perhaps a port, and a path, without "?", "#", spaces or control characters',
  ),
);

/** What may not be part of a ref's name, by git-check-ref-format. */
// oxlint-disable-next-line no-control-regex -- to refuse control characters is the point
const NOT_A_REF = /[\x00-\x20\x7f~^:?*[\\]|\.\.|@\{|\/\/|\/\.|^[-/.]|[/.]$|\.lock(\/|$)|^@$/;
// oxlint-disable-next-line no-control-regex -- the same
const CONTROL_CHARACTER = /[\x00-\x1f\x7f]/;
// oxlint-disable-next-line no-control-regex -- the same
const ONLY_PRINTABLE = /^[^\x00-\x1f\x7f]+$/;

function refName(description: string, ...more: Parameters<typeof matching>[]): z.ZodString {
  return withRules(
    text(255, description).min(1),
    notMatching(NOT_A_REF, 'must be a name that Git allows: no spaces, "..", "~", "^", ":", "?", "*", "[" or "\\"'),
    ...more.map((rule) => matching(...rule)),
  );
}

const NOT_A_RANGE = 'must be a range of versions such as ">=1.2.0 <2.0.0" or "1.x"';

const REF_FIELDS = ['branch', 'tag', 'semver', 'commit', 'name'] as const;

const ref = withRules(
  z.object({
    branch: refName('Follows the tip of this branch.').optional(),
    tag: refName('Follows this tag, also when somebody moves it.').optional(),
    semver: withRules(
      text(128, 'Follows the highest tag in this range of versions, such as ">=1.2.0 <2.0.0" or "1.x".').min(1),
      matching(/^[-0-9A-Za-z.*<>=~^|+, ]+$/, NOT_A_RANGE),
    )
      // The API server cannot judge this one; such a source becomes Stalled instead of being refused.
      .refine((range) => validRange(range) !== null, NOT_A_RANGE)
      .optional(),
    commit: withRules(
      text(40, 'Stays at this commit: its full id of 40 lower-case hexadecimal digits.'),
      matching(/^[0-9a-f]{40}$/, 'must be a full commit id: 40 lower-case hexadecimal digits'),
    ).optional(),
    name: refName('Follows a ref by its full name, such as refs/pull/7/head.', [
      /^refs\/./,
      'must be the full name of a ref: it begins with refs/',
    ]).optional(),
  }),
  {
    cel: `[${REF_FIELDS.map((field) => `has(self.${field})`).join(', ')}].filter(set, set).size() == 1`,
    holds: (value) => REF_FIELDS.filter((field) => value[field] !== undefined).length === 1,
    message: `must have exactly one of ${REF_FIELDS.join(', ')}`,
  },
).meta({
  description: 'Which commit to follow; exactly one of its fields. Left out it means branch: main.',
  // Set as a whole: merging a tag into an object that still holds a branch would break the rule of one.
  'x-kubernetes-map-type': 'atomic',
});

/** `./a//b/` and `a/b` are the same place; the root is the empty string. */
function normalisePath(path: string): string {
  return path
    .split('/')
    .filter((part) => part !== '' && part !== '.')
    .join('/');
}

const path = withRules(
  text(1024, 'The folder of the repository that is applied, with everything below it. The root when left out.'),
  notMatching(/^\//, 'must be relative to the root of the repository: no leading "/"'),
  notMatching(/(^|\/)\.\.(\/|$)/, 'must stay inside the repository: no ".."'),
  notMatching(CONTROL_CHARACTER, 'must not hold control characters'),
  notMatching(/\\/, 'must not hold a backslash: folders are divided by "/"'),
).overwrite(normalisePath);

function globs(description: string) {
  const glob = z.string().min(1).max(256).regex(ONLY_PRINTABLE, 'must not hold control characters');
  return z.array(glob).max(64).meta({ description, 'x-kubernetes-list-type': 'atomic' }).optional();
}

const pruneGuard = z
  .object({
    maxCount: z
      .int()
      .min(0)
      .max(1_000_000)
      .meta({ description: 'Never delete more objects than this for one revision.', format: 'int32' })
      .optional(),
    maxPercent: z
      .int()
      .min(0)
      .max(100)
      .meta({
        description:
          'Never delete more than this share of the managed objects for one revision; counts when there are more than 10. ' +
          '50 when neither limit is given.',
        format: 'int32',
      })
      .optional(),
  })
  .meta({
    description:
      'Holds back a prune that is larger than expected until the annotation plumbline.dev/approve-prune names the revision.',
  })
  .optional();

const METADATA_KEY = /^([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?\/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;

function metadataMap(value: z.ZodString, description: string) {
  const map = z.record(z.string(), value).meta({ description, maxProperties: 32 });
  return withRules(
    map,
    {
      cel: `self.all(key, key.matches(${celPattern(METADATA_KEY)}))`,
      holds: (entries) => Object.keys(entries).every((key) => METADATA_KEY.test(key)),
      message: 'every key must be one that Kubernetes allows, such as team or example.com/team',
    },
    {
      cel: `self.all(key, !key.startsWith('${GROUP}/'))`,
      holds: (entries) => Object.keys(entries).every((key) => !key.startsWith(`${GROUP}/`)),
      message: `keys that begin with ${GROUP}/ are Plumbline's own`,
    },
  )
    .refine((entries) => Object.keys(entries).length <= 32, 'must have at most 32 entries')
    .optional();
}

const labelValue = z
  .string()
  .max(63)
  .regex(/^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$/, 'must be a value that Kubernetes allows for a label');

const commonMetadata = z
  .object({
    labels: metadataMap(labelValue, 'Labels that every object gets; they win over those in Git.'),
    annotations: metadataMap(z.string().max(4096), 'Annotations that every object gets; they win over those in Git.'),
  })
  .meta({ description: 'What every object of this source carries in addition.' });

const labelSelector = z
  .object({
    matchLabels: z.record(z.string(), labelValue).meta({ description: 'Labels with these values.' }).optional(),
    matchExpressions: z
      .array(
        withRules(
          z.object({
            key: text(317, 'The name of a label.'),
            operator: z.enum(['In', 'NotIn', 'Exists', 'DoesNotExist']).meta({ description: 'How it is compared.' }),
            values: z
              .array(labelValue)
              .max(32)
              .meta({ description: 'For In and NotIn.', 'x-kubernetes-list-type': 'atomic' })
              .optional(),
          }),
          {
            cel: "self.operator in ['In', 'NotIn'] == (has(self.values) && size(self.values) > 0)",
            holds: ({ operator, values = [] }) => ['In', 'NotIn'].includes(operator) === values.length > 0,
            message: 'In and NotIn need values, Exists and DoesNotExist have none',
            field: 'values',
          },
        ),
      )
      .max(16)
      .meta({ description: 'Requirements; all must hold.', 'x-kubernetes-list-type': 'atomic' })
      .optional(),
  })
  .meta({ description: 'Labels that it has in Git, as Kubernetes selects them.' });

function managers(description: string) {
  const pattern = z.string().min(1).max(128).regex(ONLY_PRINTABLE, 'must not hold control characters');
  return z.array(pattern).min(1).max(32).meta({ description, 'x-kubernetes-list-type': 'atomic' }).optional();
}

const ignoreRule = z.object({
  paths: z
    .array(
      z
        .string()
        .max(512)
        .regex(/^(\/([^~/]|~[01])*)+$/, 'must be a JSON pointer such as /spec/replicas'),
    )
    .min(1)
    .max(32)
    .meta({
      description:
        'Fields, as JSON pointers such as /metadata/annotations/example.com~1note, or as a drift report shows them: ' +
        '/spec/template/spec/containers[name=app]/image. In a list * stands for every item: containers[*] or containers/*.',
      'x-kubernetes-list-type': 'atomic',
    }),
  target: z
    .object({
      group: text(253, 'Its API group; "" is the core group.').optional(),
      kind: text(63, 'Its kind.').optional(),
      name: text(253, 'Its name; * stands for anything.').optional(),
      namespace: text(63, 'Its namespace; * stands for anything.').optional(),
      labelSelector: labelSelector.optional(),
    })
    .meta({ description: 'Which objects: all that agree with every field given here; without it, all.' })
    .optional(),
  managers: managers(
    'Field managers; * stands for anything. The fields are ignored only while one of these holds them: what anybody else ' +
      'changes is drift. Without it they are given up for good.',
  ),
});

const drift = z
  .object({
    mode: z
      .enum(['Heal', 'Report', 'Prevent'])
      .default('Heal')
      .meta({
        description:
          'Heal puts a changed field back at once. Report only says what was changed, by whom and when. Prevent has the API ' +
          'server refuse such changes, where the platform allows it, and heals what gets through.',
      }),
    ignore: z
      .array(ignoreRule)
      .max(32)
      .meta({
        description:
          'Fields that others may set: given their value from Git when the object is created, and left alone from then on, ' +
          'or as long as certain managers hold them.',
        'x-kubernetes-list-type': 'atomic',
      })
      .optional(),
    foreignFields: z
      .enum(['Leave', 'Report', 'Remove'])
      .default('Leave')
      .meta({
        description:
          'What happens to fields that others add to managed objects. Leave: they stay. Report: they stay, and ' +
          'status.drift.foreign names them. Remove: they are drift, and go. Fields and managers of the usual controllers ' +
          'are always left; see the guide.',
      }),
    allowManagers: managers('More field managers whose fields always stay; * stands for anything.'),
    values: z.enum(['Show', 'Hash', 'Hide']).default('Show').meta({
      description:
        'How status and events show the declared and the live value. Values of Secrets are never shown, whatever stands here.',
    }),
  })
  .prefault({})
  .meta({ description: 'What happens when somebody changes a managed object by hand.' });

const edge = z
  .object({
    mode: edgeMode.default('Enforce').meta({
      description:
        'Enforce: a commit that would hurt the edge is not applied. Warn: it is, and what is wrong is reported; only what ' +
        'would freeze the whole gateway is stopped. Off: nothing is judged. An EdgePolicy says the least.',
    }),
    failOn: failOn
      .meta({ description: 'New findings of this severity or worse stop a commit. Error, or what an EdgePolicy says.' })
      .optional(),
    tlsFloor: tlsFloor
      .meta({
        description: 'A lower version of TLS is an error. v1.2, or what an EdgePolicy says, when that is higher.',
      })
      .optional(),
  })
  .prefault({})
  .meta({
    description: 'How strictly commits are judged by what they do to the traffic of the Emissary-ingress edge.',
  });

const dependsOn = z
  .array(
    z.object({
      name: objectName('Its name.'),
      namespace: namespaceName('Its namespace, which must be that of this source.').optional(),
    }),
  )
  .max(16)
  .meta({
    description:
      'Sources that must be Ready at their newest revision before this one is applied. Of those that follow the same ref of the same repository: at the same commit.',
    'x-kubernetes-list-type': 'atomic',
  })
  .optional();

function flag(fallback: boolean, description: string) {
  return z.boolean().default(fallback).meta({ description });
}

/** The spec of a GitOpsSource: input is what a person may write, output has every default filled in. */
export const gitOpsSourceSpec = withRules(
  z.object({
    url,
    ref: ref.optional(),
    path: path.default(''),
    include: globs('Globs, relative to path: only files that match one of them are read. All when left out.'),
    exclude: globs(
      'Globs, relative to path: files that match one of them are not read, like those that .plumblineignore in path names (not in folders below).',
    ),
    interval: duration(
      '1s',
      '24h',
      'How often Git is asked for a new commit. One small request, shared by all sources of a repository.',
    ).default('15s'),
    timeout: duration('1s', '1h', 'How long Git, and waiting for health, may take.').default('60s'),
    retryInterval: duration(
      '1s',
      '24h',
      'The longest wait before a failed attempt is repeated; waits grow from a second. Left out: 5m.',
    ).optional(),
    secretRef: z
      .object({ name: objectName('Its name.') })
      .meta({
        description:
          'A Secret of the same namespace with the credentials for Git: username and password, or bearerToken; ca.crt to trust.',
      })
      .optional(),
    insecure: flag(
      false,
      'Allows plain http to a host that is not loopback. Others on the way can read and change everything.',
    ),
    suspend: flag(false, 'Stops everything: no new commits, no healing, no pruning.'),
    sync: z
      .enum(['Auto', 'Manual'])
      .default('Auto')
      .meta({
        description:
          'Auto applies each new commit. Manual shows in status.pending what a new commit would do, and applies it when the ' +
          'annotation plumbline.dev/approve names it.',
      }),
    windows,
    prune: flag(true, 'Deletes objects that are no longer in Git.'),
    pruneGuard,
    targetNamespace: namespaceName('Puts every namespaced object into this namespace, whatever Git says.').optional(),
    commonMetadata: commonMetadata.optional(),
    serviceAccountName: objectName(
      'The ServiceAccount of the same namespace with whose rights objects are written. Left out: the default of the operator.',
    ).optional(),
    drift,
    edge,
    adoption: z.enum(['Adopt', 'Refuse']).default('Adopt').meta({
      description:
        'What to do with an object in Git that others created before: take it over, or fail and leave it alone.',
    }),
    atomic: flag(false, 'Applies nothing when any object would be refused; otherwise each object stands alone.'),
    wait: flag(false, 'Ready only when every object is healthy as well.'),
    force: flag(false, 'Deletes and creates again an object whose immutable field changed.'),
    deletionPolicy: z.enum(['Delete', 'Orphan']).default('Delete').meta({
      description:
        'What happens to the managed objects when this source is deleted; without prune they stay in any case.',
    }),
    dependsOn,
  }),
  {
    cel: `!self.url.startsWith('http://') || self.insecure || self.url.matches(${celPattern(LOOPBACK_HTTP)})`,
    holds: ({ url, insecure }) => !url.startsWith('http://') || insecure || LOOPBACK_HTTP.test(url),
    message: 'must begin with https://; plain http to a host that is not loopback needs insecure: true',
    field: 'url',
  },
).meta({ description: 'What to keep the cluster true to, and how.' });
