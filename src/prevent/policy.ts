import {
  API_VERSION,
  FIELD_MANAGER,
  GROUP,
  NAME_LABEL,
  OWNER_ANNOTATION,
  RECONCILE_ANNOTATION,
  SSA_ANNOTATION,
} from '../api/names.ts';
import type { DriftGuardSpec } from '../api/drift-guard.ts';
import type { KubeObject } from '../kube/object.ts';
import { labels, POLICY, SCALE_POLICY, scopedName } from './names.ts';

/** What both policies know of the operator and the platform. */
export interface Platform {
  /** The namespace that the operator is limited to; '' for all. */
  watchNamespace: string;
  operatorNamespace: string;
  /** The user that the operator is for the API server. */
  operatorUser: string;
  /** Who is in one of these groups is never refused anything. */
  breakGlassGroups: readonly string[];
}

export const ADMISSION_VERSION = 'admissionregistration.k8s.io/v1';

/** The server fills these in; written by us, what it holds is what we sent. */
export const MATCH_DEFAULTS = { matchPolicy: 'Equivalent', namespaceSelector: {}, objectSelector: {} };

/** Whoever changes objects on behalf of the cluster itself: garbage collection, namespace deletion, rollouts, scaling. */
const CLUSTER_USERS = [
  'system:apiserver',
  'system:kube-controller-manager',
  'system:kube-scheduler',
  'system:cloud-controller-manager',
];
const CLUSTER_GROUPS = ['system:serviceaccounts:kube-system', 'system:nodes'];

const cel = JSON.stringify;

/** The namespace whose guard has the objects that are in none. */
export function homeOf({ watchNamespace, operatorNamespace }: Omit<Platform, 'operatorUser'>): string {
  return watchNamespace || operatorNamespace;
}

/**
 * Both policies. They are the same for all sources; their parameter is the DriftGuard of one namespace. It says which objects
 * are declared and by whom, so nothing that stands on the object itself can make it refuse anything, and an object is looked
 * up however many there are.
 */
export function policies(platform: Platform): KubeObject[] {
  return [scalePolicy(platform), fieldsPolicy(platform)];
}

/**
 * Compares our entry in managedFields before and after: whatever takes a declared field from us changes that entry. By
 * whichever subresource: metadata can be written through the status of a built-in kind, too.
 */
function fieldsPolicy(platform: Platform): KubeObject {
  return policy(platform, POLICY, {
    matchConstraints: {
      ...MATCH_DEFAULTS,
      resourceRules: [{ ...ANYTHING, operations: ['UPDATE', 'DELETE'], resources: ['*/*'] }],
      // The way out is never barred: sources and our CRDs stay in everybody's hands.
      excludeResourceRules: [
        { ...ANYTHING, apiGroups: [GROUP], operations: ['*'], resources: ['*'] },
        {
          ...ANYTHING,
          apiGroups: ['apiextensions.k8s.io'],
          operations: ['*'],
          resources: ['customresourcedefinitions'],
          resourceNames: [`driftguards.${GROUP}`, `edgepolicies.${GROUP}`, `gitopssources.${GROUP}`],
        },
      ],
      objectSelector: { matchExpressions: [{ key: NAME_LABEL, operator: 'Exists' }] },
    },
    matchConditions: [...conditions(platform, 'objects'), { name: 'managed', expression: MANAGED }],
    variables: [...variables(platform, 'objects'), ...FIELD_VARIABLES],
    validations: [
      refused(
        `request.operation != 'DELETE' || variables.breakGlass`,
        `'it is declared' + variables.source + 'remove it' + variables.there`,
      ),
      refused(
        `request.operation != 'UPDATE' || variables.breakGlass || variables.kept`,
        `(variables.taken == '' ? 'a field of it' : variables.taken) + ' is declared' + variables.source + 'change it' + variables.there`,
      ),
      refused(
        `request.operation != 'UPDATE' || variables.breakGlass || !has(request.options.fieldManager) || request.options.fieldManager != '${FIELD_MANAGER}'`,
        `'the field manager ${FIELD_MANAGER} is the one of the operator: use another name; the object is declared' + variables.source + 'change it' + variables.there`,
      ),
      refused(
        `request.operation != 'UPDATE' || variables.breakGlass || !has(object.metadata.annotations) || !('${RECONCILE_ANNOTATION}' in object.metadata.annotations) || object.metadata.annotations['${RECONCILE_ANNOTATION}'] != 'disabled' || ${MAY_EDIT_SOURCE}`,
        `'${RECONCILE_ANNOTATION} would open the object to all changes; it is declared' + variables.source + 'say so' + variables.there`,
      ),
    ],
    auditAnnotations: [
      {
        key: 'break-glass',
        valueExpression: `!variables.breakGlass || (request.operation == 'UPDATE' && variables.kept) ? '' : request.userInfo.username + (request.operation == 'DELETE' ? ' deleted it' : ' changed ' + variables.taken)`,
      },
    ],
  });
}

/** A scale request shows neither labels nor managedFields, only the name: the guard lists who declares what it sets. */
function scalePolicy(platform: Platform): KubeObject {
  return policy(platform, SCALE_POLICY, {
    matchConstraints: {
      ...MATCH_DEFAULTS,
      resourceRules: [{ ...ANYTHING, operations: ['UPDATE'], resources: ['*/scale'] }],
    },
    matchConditions: [...conditions(platform, 'scaled'), { name: 'rescaled', expression: RESCALED }],
    variables: variables(platform, 'scaled'),
    validations: [
      refused(
        'variables.breakGlass',
        `'the number of replicas is declared' + variables.source + 'change it' + variables.there`,
      ),
    ],
    auditAnnotations: [
      {
        key: 'break-glass',
        valueExpression: `variables.breakGlass ? request.userInfo.username + ' changed the number of replicas' : ''`,
      },
    ],
  });
}

export const ANYTHING = { apiGroups: ['*'], apiVersions: ['*'], scope: '*' };

function policy({ watchNamespace }: Platform, name: string, spec: object): KubeObject {
  return {
    apiVersion: ADMISSION_VERSION,
    kind: 'ValidatingAdmissionPolicy',
    metadata: { name: scopedName(name, watchNamespace), labels: labels(watchNamespace) },
    spec: {
      // What cannot be evaluated is let through: Plumbline heals it then. Nobody is ever locked out by a failure of ours.
      failurePolicy: 'Ignore',
      paramKind: { apiVersion: API_VERSION, kind: 'DriftGuard' },
      ...spec,
    },
  };
}

function refused(expression: string, messageExpression: string) {
  return { expression, messageExpression, reason: 'Forbidden' };
}

type Part = keyof Pick<DriftGuardSpec, 'objects' | 'scaled'>;

const kindIn = (part: Part) => `params.spec.${part}[request.resource.group + '/' + request.resource.resource]`;
/** The source that declares it, by the guard. */
const declarer = (part: Part) => `${kindIn(part)}[oldObject.metadata.name]`;

/** In the order of their price: most requests are let go by the first two. */
function conditions({ operatorUser }: Platform, part: Part) {
  return [
    {
      name: 'not-by-the-cluster',
      expression: `!(request.userInfo.username in ${cel([operatorUser, ...CLUSTER_USERS])}) && !(has(request.userInfo.groups) && request.userInfo.groups.exists(group, group in ${cel(CLUSTER_GROUPS)}))`,
    },
    {
      name: 'declared',
      expression: `(request.resource.group + '/' + request.resource.resource) in params.spec.${part} && oldObject.metadata.name in ${kindIn(part)}`,
    },
    {
      name: 'not-by-the-source',
      expression: `request.userInfo.username != params.spec.sources[${declarer(part)}].account`,
    },
    // A rehearsal stores nothing: `kubectl diff` goes on to work.
    { name: 'not-a-dry-run', expression: `!has(request.dryRun) || !request.dryRun` },
  ];
}

/** Proves to be the source's (made anew by somebody it does not), is not on its way out, was not opened by its annotation. */
const MANAGED =
  `has(oldObject.metadata.annotations) && '${OWNER_ANNOTATION}' in oldObject.metadata.annotations && ` +
  `oldObject.metadata.annotations['${OWNER_ANNOTATION}'] == ${declarer('objects')} + ':' + ` +
  `request.kind.group + '/' + request.kind.kind + '/' + (has(oldObject.metadata.namespace) ? oldObject.metadata.namespace : '') + ` +
  `'/' + oldObject.metadata.name && !has(oldObject.metadata.deletionTimestamp) && ` +
  `!('${RECONCILE_ANNOTATION}' in oldObject.metadata.annotations && oldObject.metadata.annotations['${RECONCILE_ANNOTATION}'] == 'disabled')`;

const replicas = (object: string) =>
  `(has(${object}.spec) && has(${object}.spec.replicas) ? ${object}.spec.replicas : 0)`;
const RESCALED = `${replicas('object')} != ${replicas('oldObject')}`;

/** They could as well end Prevent there; this is their way while no operator runs that would see it. */
const MAY_EDIT_SOURCE =
  `authorizer.group('${GROUP}').resource('gitopssources').namespace(variables.declarer.split('/')[0])` +
  `.name(variables.declarer.split('/')[1]).check('update').allowed()`;

/** `source` and `there` are the parts of every message: whose it is, and where to go instead. */
function variables({ breakGlassGroups }: Platform, part: Part) {
  const groups = breakGlassGroups.join(' or ');
  const glass =
    groups === '' ? '' : ` In an emergency act with the group ${groups}, or set spec.drift.mode of the source to Heal.`;
  return [
    {
      name: 'breakGlass',
      expression: `has(request.userInfo.groups) && request.userInfo.groups.exists(group, group in ${cel(breakGlassGroups)})`,
    },
    { name: 'declarer', expression: declarer(part) },
    { name: 'by', expression: 'params.spec.sources[variables.declarer]' },
    { name: 'source', expression: `' in Git by the GitOpsSource ' + variables.declarer + ': '` },
    { name: 'there', expression: `' there (' + variables.by.git + ').' + ${cel(glass)}` },
  ];
}

const ours = (object: string) =>
  `has(${object}.metadata.managedFields) ? ${object}.metadata.managedFields.filter(entry, entry.manager == '${FIELD_MANAGER}' && entry.operation == 'Apply' && !has(entry.subresource)) : []`;

/** A pattern of field managers as the guard has it: `*` stands for any text, and everything else for itself. */
export function expressionFor(pattern: string): string {
  const parts = pattern.split('*').map((part) => part.replaceAll(/[\\.+?()[\]{}|^$]/g, String.raw`\$&`));
  return `^${parts.join('.*')}$`;
}

const child = (node: string, key: string) => `(${key} in ${node} ? ${node}[${key}] : {})`;

/** Keys of a trie that name fields and whose node is another one, or none, afterwards. */
const lost = (before: string, after: string, key: string) =>
  `${before}.filter(${key}, ${key}.startsWith('f:') && !(${key} in ${after} && ${after}[${key}] == ${before}[${key}]))`;

/** The first three steps of every path that was taken, as text: `/metadata/labels/team`, `/spec/template/spec`. */
function takenPaths(): string {
  const path = (...keys: string[]) => keys.map((key) => `'/' + ${key}.substring(2)`).join(' + ');
  // There are no local names in CEL, but for the elements of a list.
  const below = (list: string, name: string, itself: string, each: string) =>
    `[${list}].map(${name}Keys, ${name}Keys.size() == 0 ? ${itself} : ${name}Keys.map(${name}, ${each}).join(', '))[0]`;
  const inA = child('variables.after', 'a');
  const third = below(lost('variables.before[a][b]', child(inA, 'b'), 'c'), 'c', path('a', 'b'), path('a', 'b', 'c'));
  const second = below(lost('variables.before[a]', inA, 'b'), 'b', path('a'), third);
  const all = below(lost('variables.before', 'variables.after', 'a'), 'a', `''`, second);
  return `[${all}].map(text, text.size() > 400 ? text.substring(0, 400) + '…' : text)[0]`;
}

const FIELD_VARIABLES = [
  { name: 'oldEntries', expression: `request.operation == 'UPDATE' ? (${ours('oldObject')}) : []` },
  { name: 'newEntries', expression: `request.operation == 'UPDATE' ? (${ours('object')}) : []` },
  {
    name: 'writers',
    expression:
      `request.operation == 'UPDATE' && has(object.metadata.managedFields) ? object.metadata.managedFields.filter(entry, ` +
      `!(entry in variables.newEntries) && !(has(oldObject.metadata.managedFields) && entry in oldObject.metadata.managedFields)) : []`,
  },
  { name: 'before', expression: `variables.oldEntries.size() > 0 ? variables.oldEntries[0].fieldsV1 : {}` },
  { name: 'after', expression: `variables.newEntries.size() > 0 ? variables.newEntries[0].fieldsV1 : {}` },
  // Git says that it is only to be created: whoever may write the object could set the annotation, but then it is not ours.
  {
    name: 'created',
    expression:
      `'f:${SSA_ANNOTATION}' in ${child(child('variables.before', `'f:metadata'`), `'f:annotations'`)} && ` +
      `oldObject.metadata.annotations['${SSA_ANNOTATION}'] in ['IfNotPresent', 'Ignore']`,
  },
  // Which of the fields they may have is not to be told here: what drift.ignore does not say is put back.
  {
    name: 'ignored',
    expression:
      `has(variables.by.managers) && variables.writers.size() > 0 && variables.writers.all(entry, ` +
      `variables.by.managers.exists(expression, entry.manager.matches(expression)))`,
  },
  {
    name: 'kept',
    expression:
      `variables.ignored || variables.created || ` +
      `variables.oldEntries.all(old, variables.newEntries.exists(now, now.apiVersion == old.apiVersion && now.fieldsV1 == old.fieldsV1))`,
  },
  { name: 'taken', expression: takenPaths() },
];
