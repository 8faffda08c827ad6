import {
  API_VERSION,
  FIELD_MANAGER,
  GROUP,
  NAME_LABEL,
  OWNER_ANNOTATION,
  RECONCILE_ANNOTATION,
  SSA_ANNOTATION,
} from '../api/names.ts';
import type { KubeObject } from '../kube/object.ts';
import { POLICY, PREVENT_LABEL, SCALE_POLICY } from './names.ts';

/** What both policies know of the operator and the platform. */
export interface Platform {
  /** The namespace that the operator is limited to; '' for all. */
  watchNamespace: string;
  operatorNamespace: string;
  /** The user that the operator is for the API server. */
  operatorUser: string;
  defaultServiceAccount: string;
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

/**
 * Both policies. They are the same for all sources: each source binds them to its objects, with itself as the parameter. So
 * the source that the API server holds at that moment decides: without it, suspended, being deleted or with another mode it
 * refuses nothing, whether the operator runs or not.
 */
export function policies(platform: Platform): KubeObject[] {
  return [fieldsPolicy(platform), scalePolicy(platform)];
}

/** Compares our entry in managedFields before and after: whatever takes a declared field from us changes that entry. */
function fieldsPolicy(platform: Platform): KubeObject {
  return policy(platform, POLICY, {
    matchConstraints: {
      ...MATCH_DEFAULTS,
      resourceRules: [{ ...ANYTHING, operations: ['UPDATE', 'DELETE'], resources: ['*'] }],
      // The way out is never barred: sources and our CRDs stay in everybody's hands.
      excludeResourceRules: [
        { ...ANYTHING, apiGroups: [GROUP], operations: ['*'], resources: ['*'] },
        {
          ...ANYTHING,
          apiGroups: ['apiextensions.k8s.io'],
          operations: ['*'],
          resources: ['customresourcedefinitions'],
          resourceNames: [`edgepolicies.${GROUP}`, `gitopssources.${GROUP}`],
        },
      ],
      objectSelector: { matchExpressions: [{ key: NAME_LABEL, operator: 'Exists' }] },
    },
    matchConditions: [...conditions(platform), { name: 'managed', expression: MANAGED }],
    variables: [...variables(platform), ...FIELD_VARIABLES],
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
        `request.operation != 'UPDATE' || variables.breakGlass || !has(object.metadata.annotations) || !('${RECONCILE_ANNOTATION}' in object.metadata.annotations) || object.metadata.annotations['${RECONCILE_ANNOTATION}'] != 'disabled'`,
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

/**
 * A scale request shows neither labels nor managedFields, so this one is bound to objects by name: those that declare
 * `spec.replicas`.
 */
function scalePolicy(platform: Platform): KubeObject {
  return policy(platform, SCALE_POLICY, {
    matchConstraints: {
      ...MATCH_DEFAULTS,
      resourceRules: [{ ...ANYTHING, operations: ['UPDATE'], resources: ['*/scale'] }],
    },
    matchConditions: [...conditions(platform), { name: 'rescaled', expression: RESCALED }],
    variables: variables(platform),
    validations: [
      refused(
        'variables.breakGlass',
        `'/spec/replicas is declared' + variables.source + 'change it' + variables.there`,
      ),
    ],
    auditAnnotations: [
      {
        key: 'break-glass',
        valueExpression: `variables.breakGlass ? request.userInfo.username + ' changed /spec/replicas' : ''`,
      },
    ],
  });
}

const ANYTHING = { apiGroups: ['*'], apiVersions: ['*'], scope: '*' };

function policy({ watchNamespace }: Platform, name: string, spec: object): KubeObject {
  return {
    apiVersion: ADMISSION_VERSION,
    kind: 'ValidatingAdmissionPolicy',
    metadata: { name: scopedName(name, watchNamespace), labels: labels(watchNamespace) },
    spec: {
      // What cannot be evaluated is let through: Plumbline heals it then. Nobody is ever locked out by a failure of ours.
      failurePolicy: 'Ignore',
      paramKind: { apiVersion: API_VERSION, kind: 'GitOpsSource' },
      ...spec,
    },
  };
}

export function scopedName(name: string, watchNamespace: string): string {
  return watchNamespace === '' ? name : `${name}.${watchNamespace}`;
}

export function labels(watchNamespace: string): Record<string, string> {
  return { [PREVENT_LABEL]: watchNamespace || 'all', 'app.kubernetes.io/part-of': 'plumbline' };
}

function refused(expression: string, messageExpression: string) {
  return { expression, messageExpression, reason: 'Forbidden' };
}

/** In the order of their price: most requests are let go by the first. */
function conditions({ operatorUser, operatorNamespace, defaultServiceAccount }: Platform) {
  const account = `'system:serviceaccount:' + params.metadata.namespace + ':'`;
  const unnamed = `(params.metadata.namespace == ${cel(operatorNamespace)} ? ${cel(operatorUser)} : ${account} + ${cel(defaultServiceAccount)})`;
  return [
    {
      name: 'not-by-the-cluster',
      expression: `!(request.userInfo.username in ${cel([operatorUser, ...CLUSTER_USERS])}) && !(has(request.userInfo.groups) && request.userInfo.groups.exists(group, group in ${cel(CLUSTER_GROUPS)}))`,
    },
    {
      name: 'not-by-the-source',
      expression: `request.userInfo.username != (has(params.spec.serviceAccountName) ? ${account} + params.spec.serviceAccountName : ${unnamed})`,
    },
    {
      name: 'prevents',
      expression: `has(params.spec.drift) && has(params.spec.drift.mode) && params.spec.drift.mode == 'Prevent' && !(has(params.spec.suspend) && params.spec.suspend) && !has(params.metadata.deletionTimestamp)`,
    },
    // A rehearsal stores nothing: `kubectl diff` goes on to work.
    { name: 'not-a-dry-run', expression: `!has(request.dryRun) || !request.dryRun` },
  ];
}

/** Proves to be the source's (a copy does not), is not on its way out, and was not opened by its own annotation. */
const MANAGED =
  `has(oldObject.metadata.annotations) && '${OWNER_ANNOTATION}' in oldObject.metadata.annotations && ` +
  `oldObject.metadata.annotations['${OWNER_ANNOTATION}'] == params.metadata.namespace + '/' + params.metadata.name + ':' + ` +
  `request.kind.group + '/' + request.kind.kind + '/' + (has(oldObject.metadata.namespace) ? oldObject.metadata.namespace : '') + ` +
  `'/' + oldObject.metadata.name && !has(oldObject.metadata.deletionTimestamp) && ` +
  `!('${RECONCILE_ANNOTATION}' in oldObject.metadata.annotations && oldObject.metadata.annotations['${RECONCILE_ANNOTATION}'] == 'disabled')`;

const replicas = (object: string) =>
  `(has(${object}.spec) && has(${object}.spec.replicas) ? ${object}.spec.replicas : 0)`;
const RESCALED = `${replicas('object')} != ${replicas('oldObject')}`;

/** `source` and `there` are the parts of every message: whose it is, and where to go instead. */
function variables({ breakGlassGroups }: Platform) {
  const ref = ['branch', 'tag', 'semver', 'commit', 'name']
    .map((name) => `has(params.spec.ref.${name}) ? '${name} ' + params.spec.ref.${name} : `)
    .join('');
  const groups = breakGlassGroups.join(' or ');
  const glass =
    groups === '' ? '' : ` In an emergency act with the group ${groups}, or set spec.drift.mode of the source to Heal.`;
  return [
    {
      name: 'breakGlass',
      expression: `has(request.userInfo.groups) && request.userInfo.groups.exists(group, group in ${cel(breakGlassGroups)})`,
    },
    {
      name: 'source',
      expression: `' in Git by the GitOpsSource ' + params.metadata.namespace + '/' + params.metadata.name + ': '`,
    },
    { name: 'ref', expression: `!has(params.spec.ref) ? 'branch main' : ${ref}''` },
    {
      name: 'there',
      expression: `' there (' + params.spec.url + ', ' + variables.ref + (has(params.spec.path) && params.spec.path != '' ? ', path ' + params.spec.path : '') + ').' + ${cel(glass)}`,
    },
  ];
}

const ours = (object: string) =>
  `has(${object}.metadata.managedFields) ? ${object}.metadata.managedFields.filter(entry, entry.manager == '${FIELD_MANAGER}' && entry.operation == 'Apply' && !has(entry.subresource)) : []`;

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
  // Which of the fields they may have is not to be told here: what drift.ignore does not say is put back.
  {
    name: 'ignored',
    expression:
      `has(params.spec.drift.ignore) && variables.writers.size() > 0 && variables.writers.all(entry, params.spec.drift.ignore.exists(rule, ` +
      `has(rule.managers) && rule.managers.exists(name, entry.manager.matches('^' + name.replace('*', '.*') + '$'))))`,
  },
  {
    name: 'kept',
    expression:
      `variables.ignored || ` +
      `('${SSA_ANNOTATION}' in oldObject.metadata.annotations && oldObject.metadata.annotations['${SSA_ANNOTATION}'] in ['IfNotPresent', 'Ignore']) || ` +
      `variables.oldEntries.all(old, variables.newEntries.exists(now, now.apiVersion == old.apiVersion && now.fieldsV1 == old.fieldsV1))`,
  },
  { name: 'before', expression: `variables.oldEntries.size() > 0 ? variables.oldEntries[0].fieldsV1 : {}` },
  { name: 'after', expression: `variables.newEntries.size() > 0 ? variables.newEntries[0].fieldsV1 : {}` },
  { name: 'taken', expression: takenPaths() },
];
