import { describeIdentity, identityOf, type KubeObject } from '../../src/kube/object.ts';
import { API_VERSION, NAME_LABEL, NAMESPACE_LABEL } from '../../src/api/names.ts';
import type { Reference } from './client.ts';
import { driftOf, driftReport } from './report.ts';
import { THINGS } from './shop.ts';
import { expect, type Outcome, type Stage } from './stage.ts';

// What people do to the cluster behind Git's back.

export async function editDeployment(stage: Stage): Promise<Outcome> {
  const containers = [{ name: 'checkout', image: 'nginx:latest' }];
  const patch = { spec: { replicas: 9, template: { spec: { containers } } } };
  return edit(stage, THINGS.deployment, 'kubectl-edit', patch, (object) => {
    const { replicas, template } = object.spec as {
      replicas: number;
      template: { spec: { containers: { image: string }[] } };
    };
    return replicas === 3 && template.spec.containers[0]?.image === 'nginx:1.29.3';
  });
}

export async function editMapping(stage: Stage): Promise<Outcome> {
  return edit(stage, THINGS.canary, 'traffic-script', { spec: { weight: 100 } }, (object) => {
    return (object.spec as { weight: number }).weight === 25;
  });
}

/** Edits, waits for the declared state to be back, and for the source to say what happened. */
async function edit(
  stage: Stage,
  reference: Reference,
  manager: string,
  patch: object,
  asDeclared: (object: KubeObject) => boolean,
): Promise<Outcome> {
  const { client, signal, patience } = stage;
  const what = describeIdentity(identityOf(reference));
  const before = await client.get(reference, signal);
  expect(before !== undefined && asDeclared(before), `${what} is not as declared before the edit`);
  let wasEdited = false;
  const healing = client.waitFor(
    reference,
    (object) => {
      if (object && !asDeclared(object)) wasEdited = true;
      return wasEdited && object !== undefined && asDeclared(object);
    },
    { what: `${what} to be healed`, timeoutMs: patience.healMs, signal, from: before },
  );
  const [{ at: answered, object }, healed] = await Promise.all([
    client.edit(reference, patch, manager, signal),
    healing,
  ]);
  const source = sourceOf(object);
  const reported = await client.waitFor(source, (each) => driftOf(each, object) !== undefined, {
    what: `the status of ${describeIdentity(identityOf(source))} to tell of it`,
    timeoutMs: patience.healMs,
    signal,
  });
  const entry = driftOf(reported.object, object);
  const fields = entry?.fields ?? [];
  expect(
    fields.some((field) => field.manager === manager),
    `the report does not say that ${manager} did it`,
  );
  return {
    said: 'healed after the edit was answered',
    ms: healed.at - answered,
    report: entry ? driftReport(entry) : [],
  };
}

export async function deleteObject(stage: Stage): Promise<Outcome> {
  const { client, signal, patience } = stage;
  const before = await client.get(THINGS.settings, signal);
  const uid = before?.metadata.uid;
  expect(before !== undefined && uid !== undefined, 'the ConfigMap is missing before it is deleted');
  const what = 'the deleted ConfigMap to be back';
  const isBack = (object: KubeObject | undefined): boolean => object !== undefined && object.metadata.uid !== uid;
  const healing = client.waitFor(THINGS.settings, isBack, { what, timeoutMs: patience.healMs, signal, from: before });
  const [{ at }, healed] = await Promise.all([client.remove(THINGS.settings, signal), healing]);
  const keys = Object.keys(healed.object?.data ?? {});
  expect(keys.join() === 'LANGUAGES,PAGE_SIZE', `it is back with other keys: ${keys.join()}`);
  return { said: 'back after the delete was answered', ms: healed.at - at };
}

/** Which source manages an object, by its labels. */
function sourceOf({ metadata }: KubeObject): Reference {
  const { [NAME_LABEL]: name = '', [NAMESPACE_LABEL]: namespace = '' } = metadata.labels ?? {};
  return { apiVersion: API_VERSION, kind: 'GitOpsSource', metadata: { name, namespace } };
}
