import * as z from 'zod';
import { count, text, time } from './fields.ts';
import { STATUS_LIMITS } from './status-limits.ts';

const revision = (description: string) => text(512, description);
const message = (description: string) => text(STATUS_LIMITS.message, description);

const objectFields = {
  group: text(253, 'Its API group; left out for the core group.').optional(),
  kind: text(63, 'Its kind.'),
  namespace: text(63, 'Its namespace; left out when it has none.').optional(),
  name: text(253, 'Its name.'),
};

const originFields = {
  file: text(1024, 'The file that declares it.').optional(),
  line: count('The line in that file, from 1.').optional(),
};

/** metav1.Condition. */
export const condition = z.object({
  type: text(316, 'What the condition is about.'),
  status: z.enum(['True', 'False', 'Unknown']).meta({ description: 'True, False or Unknown.' }),
  observedGeneration: z
    .int()
    .min(0)
    .meta({ description: 'The generation it was judged for.', format: 'int64' })
    .optional(),
  lastTransitionTime: time('When the status changed last.'),
  reason: text(1024, 'One word for why; see docs/reference/conditions.md.').min(1),
  message: text(STATUS_LIMITS.conditionMessage, 'What happened, where, and what to do.'),
});

const commit = z
  .object({
    sha: text(64, 'Its id.'),
    author: text(256, 'Who wrote it.'),
    subject: text(200, 'The first line of its message.'),
    time: time('When it was committed.'),
  })
  .meta({ description: 'The commit attempted last.' });

const inventory = z
  .object({
    count: count('How many objects.'),
    kinds: z
      .array(z.object({ group: text(253, 'API group.'), kind: text(63, 'Kind.'), count: count('How many.') }))
      .max(STATUS_LIMITS.inventoryKinds)
      .meta({
        description: 'How many of each kind. A kind stands here before its first object is applied.',
        'x-kubernetes-list-type': 'map',
        'x-kubernetes-list-map-keys': ['group', 'kind'],
      }),
  })
  .meta({ description: 'The managed objects: those that carry the labels of this source.' });

const driftField = z.object({
  path: text(1024, 'The field.'),
  declared: text(512, 'Its value in Git; left out when it is not declared.').optional(),
  live: text(512, 'The value it was given; left out when the field was removed.').optional(),
  manager: text(256, 'The field manager that changed it.').optional(),
  operation: text(32, 'How: Apply or Update; Removed when nobody has the field any more.').optional(),
  subresource: text(63, 'The subresource it was changed through, such as scale.').optional(),
  time: time('When that manager wrote last.').optional(),
  since: time('When the difference was first seen.').optional(),
  action: z
    .enum(['Healed', 'Reported', 'WaitingForWindow', 'Ignored', 'Blocked', 'Rewritten', 'NotHolding'])
    .meta({
      description:
        'Healed: put back, or removed. Reported: left. WaitingForWindow: left until a window opens. Ignored: left to others, as drift.ignore says. Blocked: the API ' +
        'server refuses to have it put back. Rewritten: admission changes it. NotHolding: changed again and again.',
    })
    .optional(),
  rate: text(32, 'How often it is changed, such as 2/min, while a fight over it lasts.').optional(),
});

const driftedObject = z.object({
  ...objectFields,
  ...originFields,
  since: time('When the difference was first seen.').optional(),
  action: z
    .enum([
      'Healed',
      'Recreated',
      'Reported',
      'WaitingForWindow',
      'Blocked',
      'Rewritten',
      'NotHolding',
      'Foreign',
      'Ignored',
    ])
    .meta({
      description:
        'Healed: put back. Recreated: was deleted, is back. Reported: left, as drift.mode says. WaitingForWindow: left until ' +
        'spec.windows lets it be healed. Blocked: the API server refuses to have it put back. Rewritten: admission changes it ' +
        'each time it is applied. NotHolding: somebody changes it again and again. Foreign: others added fields. Ignored: it ' +
        'differs only where that is left to others.',
    })
    .optional(),
  fields: z
    .array(driftField)
    .max(STATUS_LIMITS.driftFields)
    .meta({ description: 'What was changed, the first ones.', 'x-kubernetes-list-type': 'atomic' }),
});

function besideDrift(limit: number, description: string) {
  return z
    .object({
      count: count('How many objects.'),
      objects: z
        .array(driftedObject)
        .max(limit)
        .meta({ description: 'Some of them.', 'x-kubernetes-list-type': 'atomic' }),
    })
    .meta({ description })
    .optional();
}

const drift = z
  .object({
    count: count('How many objects differ from Git now.'),
    healedCount: count('How many were put back since this source exists.'),
    objects: z.array(driftedObject).max(STATUS_LIMITS.driftObjects).meta({
      description: 'The objects that differ, and those that were healed lately; the newest ones.',
      'x-kubernetes-list-type': 'atomic',
    }),
    foreign: besideDrift(
      STATUS_LIMITS.foreignObjects,
      'Objects with fields that others added, with drift.foreignFields: Report. They are not drift.',
    ),
    ignored: besideDrift(
      STATUS_LIMITS.ignoredObjects,
      'Objects with fields that are left to others and differ from Git. They are not drift.',
    ),
  })
  .meta({ description: 'What others changed.' });

const failures = z
  .array(
    z.object({
      ...objectFields,
      ...originFields,
      reason: text(128, 'One word for why.'),
      message: message('What happened, and what to do.'),
    }),
  )
  .max(STATUS_LIMITS.failures)
  .meta({ description: 'Objects that could not be applied, the first ones.', 'x-kubernetes-list-type': 'atomic' });

const ignoredFiles = z
  .object({
    count: count('How many.'),
    names: z
      .array(text(1024, 'A path.'))
      .max(STATUS_LIMITS.ignoredFiles)
      .meta({ description: 'The first ones.', 'x-kubernetes-list-type': 'atomic' }),
  })
  .meta({ description: 'YAML and JSON files without any Kubernetes object in them.' });

const health = z
  .object({
    ready: count('How many objects are healthy.'),
    progressing: count('How many are on their way.'),
    failed: count('How many have failed.'),
    reasons: z
      .array(z.object({ ...objectFields, message: message('What is not healthy.') }))
      .max(STATUS_LIMITS.healthReasons)
      .meta({ description: 'The first objects that are not healthy.', 'x-kubernetes-list-type': 'atomic' }),
  })
  .meta({ description: 'How the managed objects are.' });

const history = z
  .array(
    z.object({
      revision: revision('The revision.'),
      status: z.enum(['Progressing', 'Applied', 'Failed']).meta({ description: 'How it went.' }),
      firstSeen: time('When it was first attempted.'),
      lastSeen: time('When it was last attempted.'),
      message: message('Why it failed.').optional(),
    }),
  )
  .max(STATUS_LIMITS.history)
  .meta({ description: 'The last revisions, newest first.', 'x-kubernetes-list-type': 'atomic' });

const objectOfEdge = {
  kind: text(63, 'Its kind.'),
  namespace: text(63, 'Its namespace.').optional(),
  name: text(253, 'Its name.'),
};

const partyFields = {
  ...objectOfEdge,
  source: text(317, 'The GitOpsSource that declares it; left out when nobody does.').optional(),
  ...originFields,
};

const edgeFinding = z.object({
  rule: text(16, 'The rule; see docs/reference/findings.md.'),
  severity: z.enum(['error', 'warning', 'info']).meta({ description: 'error, warning or info.' }),
  blocks: z.boolean().meta({ description: 'It stops the newest commit.' }).optional(),
  ...partyFields,
  other: z.object(partyFields).meta({ description: 'The other party.' }).optional(),
  host: text(253, 'The host whose traffic is hit.').optional(),
  path: text(1024, 'The path whose traffic is hit.').optional(),
  message: message('What is wrong.'),
  mend: message('What to do.'),
});

const edgeSetback = z.object({
  ...objectOfEdge,
  ...originFields,
  state: z.enum(['Dropped', 'Unserved', 'Shadowed', 'Split']).meta({
    description:
      'Dropped: Emissary leaves it out. Unserved: valid, but nothing leads to it. Shadowed: another route takes all its ' +
      'requests. Split: it shares its route, by weight, with objects of others.',
  }),
  message: message('Why, or with whom.'),
});

const edge = z
  .object({
    routes: count('Route groups that objects of this source have a part in.'),
    hosts: count('Hosts of this source that are served.'),
    members: count('Mappings of this source that get traffic.'),
    errors: count('Findings of severity error, those that stop the newest commit included.'),
    warnings: count('Findings of severity warning, those that stop the newest commit included.'),
    infos: count('Findings of severity info, those that stop the newest commit included.'),
    findings: z.array(edgeFinding).max(STATUS_LIMITS.edgeFindings).meta({
      description: 'What is wrong on the edge where this source is concerned, the worst first.',
      'x-kubernetes-list-type': 'atomic',
    }),
    setbacks: z
      .object({
        count: count('How many objects.'),
        objects: z.array(edgeSetback).max(STATUS_LIMITS.edgeSetbacks).meta({
          description: 'The first ones, dropped ones before shadowed ones.',
          'x-kubernetes-list-type': 'atomic',
        }),
      })
      .meta({ description: 'Objects of this source that do not get what they ask for; left out when there are none.' })
      .optional(),
  })
  .meta({ description: 'What the objects of this source do on the Emissary-ingress edge.' });

const pending = z
  .object({
    revision: revision('The revision that waits.'),
    reason: z.enum(['WaitingForApproval', 'WaitingForWindow']).meta({
      description: 'WaitingForApproval: spec.sync is Manual. WaitingForWindow: spec.windows says not now.',
    }),
    until: time('When the window opens; left out when no end is in sight, or nobody knows.').optional(),
    create: count('How many objects it would create.'),
    configure: count('How many objects it would change.'),
    prune: count('How many objects it would delete.'),
    pruneBlocked: message('Why some of what it no longer declares would stay.').optional(),
    objects: z
      .array(
        z.object({
          ...objectFields,
          ...originFields,
          action: z.enum(['create', 'configure', 'prune']).meta({ description: 'create, configure or prune.' }),
        }),
      )
      .max(STATUS_LIMITS.pendingObjects)
      .meta({ description: 'The first of these objects.', 'x-kubernetes-list-type': 'atomic' }),
    findings: z.array(edgeFinding).max(STATUS_LIMITS.pendingFindings).meta({
      description: 'What would stop it at the gate of the edge, if it were applied now; the first ones.',
      'x-kubernetes-list-type': 'atomic',
    }),
  })
  .meta({ description: 'A commit that waits for a window or an approval, and what it would do.' });

const dropped = count('Entries left out.').optional();
const truncated = z
  .object({
    driftObjects: dropped,
    foreignObjects: dropped,
    ignoredObjects: dropped,
    failures: dropped,
    ignoredFiles: dropped,
    healthReasons: dropped,
    history: dropped,
    edgeFindings: dropped,
    edgeSetbacks: dropped,
    pendingObjects: dropped,
    pendingFindings: dropped,
  })
  .meta({ description: 'How many entries are missing from which list, because a status stays small.' });

/** The status of a GitOpsSource. Everything but observedGeneration is optional: a fresh source has none of it. */
export const gitOpsSourceStatus = z
  .object({
    // -1 until the first look, or tools that follow kstatus would call a fresh source ready.
    observedGeneration: z.int().min(-1).default(-1).meta({
      description: 'The generation of the spec that this status is about; moves on failure too.',
      format: 'int64',
    }),
    conditions: z
      .array(condition)
      .max(16)
      .meta({
        description: 'Ready, Reconciling, Stalled, Drifted, Healthy and EdgeHealthy; see docs/reference/conditions.md.',
        'x-kubernetes-list-type': 'map',
        'x-kubernetes-list-map-keys': ['type'],
      })
      .optional(),
    lastAttemptedRevision: revision('The revision that was tried last, such as main@sha1:….').optional(),
    lastAppliedRevision: revision('The last revision of which every object is applied.').optional(),
    lastAppliedGeneration: z
      .int()
      .meta({ description: 'The last generation of the spec with which it is what is applied.', format: 'int64' })
      .optional(),
    lastAppliedSettings: text(
      16,
      'A digest of what else than the commit its objects were made from: tells after a restart whether the spec was edited meanwhile in a way that changes them.',
    ).optional(),
    commit: commit.optional(),
    lastHandledReconcileAt: text(
      256,
      'The last value of the annotation plumbline.dev/requestedAt that was served.',
    ).optional(),
    lastHandledHealNow: text(256, 'The last value of the annotation plumbline.dev/healNow that was served.').optional(),
    lastReleasedRevision: revision(
      'The last revision that was let through: it is enforced, whole or not. Left out when lastAppliedRevision says it, unless windows or approvals hold commits back.',
    ).optional(),
    pending: pending.optional(),
    inventory: inventory.optional(),
    drift: drift.optional(),
    failures: failures.optional(),
    ignoredFiles: ignoredFiles.optional(),
    health: health.optional(),
    edge: edge.optional(),
    history: history.optional(),
    truncated: truncated.optional(),
  })
  .meta({ description: 'What Plumbline saw and did.' });
