import type { KubeObject } from '../kube/object.ts';

/** The field manager that set the annotation, and when; of the user behind it only the API server's audit log knows. */
export function setterOf({ metadata }: KubeObject, annotation: string): { by: string; time?: string } {
  const entry = metadata.managedFields?.find(
    ({ fieldsV1 }) => fieldsV1?.['f:metadata']?.['f:annotations']?.[`f:${annotation}`] !== undefined,
  );
  return { by: entry?.manager ?? 'somebody unknown', ...(entry?.time !== undefined && { time: entry.time }) };
}
