import { groupOf, type KubeObject } from '../kube/object.ts';

/** As kstatus names them. Unknown: the object tells nothing that we understand. */
export type HealthStatus = 'Current' | 'InProgress' | 'Failed' | 'Terminating' | 'Unknown';

export interface Health {
  readonly status: HealthStatus;
  /** For people, at most 256 characters; '' when there is nothing to say. */
  readonly message: string;
}

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
  readonly message?: string;
}

type Fields = Readonly<Record<string, unknown>>;

/** What a rule looks at; absent parts are empty. */
interface Subject {
  readonly spec: Fields;
  readonly status: Fields;
  readonly condition: (type: string) => Condition | undefined;
}

type Rule = (subject: Subject) => Health;

const MAX_MESSAGE = 256;

const RULES: Readonly<Record<string, Rule>> = {
  'apps/Deployment': deployment,
  'apps/StatefulSet': statefulSet,
  'apps/DaemonSet': daemonSet,
  'apps/ReplicaSet': replicaSet,
  'batch/Job': job,
  '/Pod': pod,
  '/PersistentVolumeClaim': persistentVolumeClaim,
  '/Service': service,
  'apiextensions.k8s.io/CustomResourceDefinition': customResourceDefinition,
  'getambassador.io/Host': host,
};

/**
 * Is the object what it was asked to be? The rules of kstatus (sigs.k8s.io/cli-utils, pkg/kstatus/status), with two
 * differences: a Job counts as Current when it has completed (kstatus says so as soon as it runs; Flux corrects it the same
 * way), and an unschedulable Pod stays InProgress, because kstatus' 15 s of patience need a clock.
 */
export function health(object: KubeObject): Health {
  if (object.metadata.deletionTimestamp) return of('Terminating', 'is being deleted');
  const subject = subjectOf(object);
  const rule = RULES[`${groupOf(object.apiVersion)}/${object.kind}`] ?? byReadyCondition;
  const verdict = generic(object, subject) ?? rule(subject);
  const { status, message } = verdict;
  return message.length > MAX_MESSAGE ? { status, message: `${message.slice(0, MAX_MESSAGE - 1)}…` } : verdict;
}

function of(status: HealthStatus, message = ''): Health {
  return { status, message };
}

/** Nearly every object is, so there is one answer for all. */
const current = of('Current');
const progressing = (message: string): Health => of('InProgress', message);

function subjectOf(object: KubeObject): Subject {
  const status = fieldsAt(object, 'status');
  const conditions = listAt(status, 'conditions') as Condition[];
  return { spec: fieldsAt(object, 'spec'), status, condition: (type) => conditions.find((one) => one?.type === type) };
}

function fieldsAt(parent: unknown, name: string): Fields {
  const value = (parent as Fields | null | undefined)?.[name];
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {};
}

function listAt(parent: Fields, name: string): unknown[] {
  const value = parent[name];
  return Array.isArray(value) ? value : [];
}

function numberAt(parent: Fields, name: string, absent = 0): number {
  const value = parent[name];
  return typeof value === 'number' ? value : absent;
}

function textAt(parent: Fields, name: string): string {
  const value = parent[name];
  return typeof value === 'string' ? value : '';
}

function tell(condition: Condition | undefined): string {
  return condition?.message || condition?.reason || '';
}

/** What holds for every kind: a status that is about an older spec says nothing, and abnormal-true conditions decide. */
function generic({ metadata }: KubeObject, { status, condition }: Subject): Health | undefined {
  const observed = status['observedGeneration'];
  if (typeof observed === 'number' && metadata.generation !== undefined && observed !== metadata.generation) {
    return progressing(`generation ${metadata.generation} is not observed yet`);
  }
  const reconciling = condition('Reconciling');
  if (reconciling?.status === 'True') return progressing(tell(reconciling));
  const stalled = condition('Stalled');
  return stalled?.status === 'True' ? of('Failed', tell(stalled)) : undefined;
}

/** Custom resources; a kind without a Ready condition is what it was asked to be as soon as it is stored. */
function byReadyCondition({ condition }: Subject): Health {
  const ready = condition('Ready');
  return !ready || ready.status === 'True' ? current : progressing(tell(ready) || 'not ready');
}

function deployment({ spec, status, condition }: Subject): Health {
  const progress = condition('Progressing');
  if (progress?.reason === 'ProgressDeadlineExceeded') return of('Failed', tell(progress));
  const wanted = numberAt(spec, 'replicas', 1);
  const replicas = numberAt(status, 'replicas');
  const updated = numberAt(status, 'updatedReplicas');
  const available = numberAt(status, 'availableReplicas');
  const ready = numberAt(status, 'readyReplicas');
  if (replicas < wanted) return progressing(`replicas: ${replicas}/${wanted}`);
  if (updated < wanted) return progressing(`updated: ${updated}/${wanted}`);
  if (replicas > wanted) return progressing(`pending termination: ${replicas - wanted}`);
  if (available < updated) return progressing(`available: ${available}/${updated}`);
  if (ready < wanted) return progressing(`ready: ${ready}/${wanted}`);
  if (spec['paused'] === true) return current;
  const rolledOut = progress?.status === 'True' && progress.reason === 'NewReplicaSetAvailable';
  // Without a deadline the controller does not keep the condition.
  const hasDeadline = numberAt(spec, 'progressDeadlineSeconds', 600) !== 2 ** 31 - 1;
  if (hasDeadline && !rolledOut) return progressing('the new ReplicaSet is not available yet');
  return condition('Available')?.status === 'True' ? current : progressing('not available yet');
}

function statefulSet({ spec, status }: Subject): Health {
  const strategy = fieldsAt(spec, 'updateStrategy');
  if (strategy['type'] === 'OnDelete') return current;
  const wanted = numberAt(spec, 'replicas', 1);
  const replicas = numberAt(status, 'replicas');
  const ready = numberAt(status, 'readyReplicas');
  const updated = numberAt(status, 'updatedReplicas');
  if (replicas < wanted) return progressing(`replicas: ${replicas}/${wanted}`);
  if (ready < wanted) return progressing(`ready: ${ready}/${wanted}`);
  if (replicas > wanted) return progressing(`pending termination: ${replicas - wanted}`);
  const partition = numberAt(fieldsAt(strategy, 'rollingUpdate'), 'partition');
  if (partition > 0) {
    const due = Math.max(0, wanted - partition);
    return updated < due ? progressing(`updated: ${updated}/${due}`) : current;
  }
  if (numberAt(status, 'currentReplicas') < wanted)
    return progressing(`current: ${numberAt(status, 'currentReplicas')}/${wanted}`);
  const settled = textAt(status, 'currentRevision') === textAt(status, 'updateRevision');
  return settled ? current : progressing('the new revision is still rolling out');
}

function daemonSet({ status }: Subject): Health {
  if (status['observedGeneration'] === undefined) return progressing('not observed yet');
  const wanted = numberAt(status, 'desiredNumberScheduled');
  for (const [name, field] of [
    ['scheduled', 'currentNumberScheduled'],
    ['updated', 'updatedNumberScheduled'],
    ['available', 'numberAvailable'],
    ['ready', 'numberReady'],
  ] as const) {
    const count = numberAt(status, field);
    if (count < wanted) return progressing(`${name}: ${count}/${wanted}`);
  }
  return current;
}

function replicaSet({ spec, status, condition }: Subject): Health {
  const failure = condition('ReplicaFailure');
  if (failure?.status === 'True') return progressing(tell(failure));
  const wanted = numberAt(spec, 'replicas', 1);
  for (const [name, field] of [
    ['labelled', 'fullyLabeledReplicas'],
    ['available', 'availableReplicas'],
    ['ready', 'readyReplicas'],
  ] as const) {
    const count = numberAt(status, field);
    if (count < wanted) return progressing(`${name}: ${count}/${wanted}`);
  }
  const over = numberAt(status, 'replicas') - wanted;
  return over > 0 ? progressing(`pending termination: ${over}`) : current;
}

function job({ spec, status, condition }: Subject): Health {
  const failed = condition('Failed');
  if (failed?.status === 'True') return of('Failed', tell(failed));
  if (condition('Complete')?.status === 'True' || spec['suspend'] === true) return current;
  if (!status['startTime']) return progressing('not started');
  const counts = ['active', 'succeeded', 'failed'].map((name) => `${name} ${numberAt(status, name)}`);
  return progressing(`running: ${counts.join(', ')}`);
}

function pod({ status, condition }: Subject): Health {
  const phase = textAt(status, 'phase');
  if (phase === 'Succeeded') return current;
  if (phase === 'Failed')
    return of('Failed', textAt(status, 'message') || textAt(status, 'reason') || 'the pod failed');
  const crashed = crashLooping(status);
  if (crashed) return of('Failed', `container ${crashed} crashes again and again`);
  if (condition('Ready')?.status === 'True') return current;
  const scheduled = condition('PodScheduled');
  if (scheduled?.status === 'False') return progressing(tell(scheduled));
  return progressing(phase === 'Running' ? 'running, but not ready' : 'pending');
}

function crashLooping(status: Fields): string | undefined {
  const containers = [...listAt(status, 'initContainerStatuses'), ...listAt(status, 'containerStatuses')] as Fields[];
  const crashed = containers.find(
    (one) => textAt(fieldsAt(fieldsAt(one, 'state'), 'waiting'), 'reason') === 'CrashLoopBackOff',
  );
  return crashed && (textAt(crashed, 'name') || '?');
}

function persistentVolumeClaim({ status }: Subject): Health {
  const phase = textAt(status, 'phase');
  if (phase === 'Lost') return of('Failed', 'the volume behind the claim is lost');
  return phase === 'Bound' ? current : progressing('not bound');
}

/** As kstatus: an address inside the cluster is enough; not every cluster has somebody who gives out the outer one. */
function service({ spec }: Subject): Health {
  return spec['type'] === 'LoadBalancer' && !spec['clusterIP'] ? progressing('no cluster IP yet') : current;
}

function customResourceDefinition({ condition }: Subject): Health {
  const names = condition('NamesAccepted');
  if (names?.status === 'False') return of('Failed', tell(names));
  const established = condition('Established');
  if (established?.status === 'True') return current;
  if (established?.status === 'False' && established.reason !== 'Installing') return of('Failed', tell(established));
  return progressing('not established yet');
}

/** Edge Stack tells a state; open-source Emissary never does, and then there is nothing to wait for. */
function host({ status }: Subject): Health {
  switch (textAt(status, 'state')) {
    case 'Error':
      return of('Failed', textAt(status, 'errorReason') || 'the Host is in error');
    case 'Pending':
    case 'Initial':
      return progressing(textAt(status, 'phasePending') || 'the Host is not ready yet');
    default:
      return current;
  }
}
