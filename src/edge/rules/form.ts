import { CONFIG_ANNOTATION, readAnnotation, type AnnotationDocument } from '../annotations.ts';
import type { Hit, Judged, Party, Rule } from '../finding.ts';
import { isIngress } from '../ingress.ts';
import type { EdgeObject } from '../input.ts';
import type { Policy } from '../model.ts';
import { annotatedOf } from '../objects.ts';
import { describe, isMade } from '../party.ts';
import { schemaOf, versionOf } from '../schemas.ts';
import { textAt } from '../spec.ts';
import {
  isIrregular,
  mayBeOfOtherVersion,
  mayHoldArtefacts,
  notServed,
  otherVersion,
  schemaBroken,
  storageArtefact,
  unknownField,
} from './fields.ts';
import { inEach, policiesThat } from './each.ts';

export const FORM_RULES: readonly Rule[] = [
  {
    id: 'EM090',
    name: 'annotation-yaml',
    severity: 'error',
    impact: 'drop',
    when: `One document of an annotation \`${CONFIG_ANNOTATION}\` cannot be read.`,
    means: 'All policies of the annotation vanish, also those of the good documents; only a line in a log says so.',
    mend: 'Correct the YAML; each document is a mapping of fields that names its kind.',
    find: annotationYaml,
  },
  {
    id: 'EM091',
    name: 'annotation-version',
    severity: 'error',
    impact: 'drop',
    when: 'A policy in an annotation has no name, or a version or kind that Emissary does not know.',
    means: 'It is dropped. `ambassador/v0` is no longer read.',
    mend: 'Write `getambassador.io/v3alpha1` (or v2, v1 where the kind exists), a kind and a name.',
    find: annotationVersion,
  },
  {
    id: 'EM092',
    name: 'annotation-namespace',
    severity: 'error',
    impact: 'protection-lost',
    when: 'A policy in an annotation names another namespace than the object that carries it.',
    means:
      'It takes effect in the other namespace: whoever may edit a Service here can make policies there, past all permissions.',
    mend: 'Remove the namespace, or move the policy to an object of that namespace.',
    find: annotationNamespace,
  },
  {
    id: 'EM093',
    name: 'annotation-place',
    severity: 'warning',
    impact: 'no-effect',
    when: `The annotation \`${CONFIG_ANNOTATION}\` stands on an object that is neither a Service nor an Ingress.`,
    means: 'It is never read.',
    mend: 'Move it to the Service, or write the policies as objects of their own.',
    find: annotationPlace,
  },
  {
    id: 'EM094',
    name: 'api-not-served',
    severity: 'error',
    impact: 'drop',
    when: 'A policy is written in an apiVersion that the cluster does not serve.',
    means: 'It cannot be applied. Emissary 4 serves v3alpha1 alone unless its older versions are enabled.',
    mend: 'Write it in `getambassador.io/v3alpha1`, or enable the older versions in the chart of the CRDs.',
    find: notServed,
  },
  {
    id: 'EM095',
    name: 'version-field-mix',
    severity: 'error',
    impact: 'drop',
    when: 'A field is written as another version of the API has it.',
    means: 'The API server refuses it, or removes it without a word and the policy means something else.',
    mend: 'Write it as its own version has it, or change the apiVersion and all fields together.',
    find: inEach('every', otherVersion, 'any', mayBeOfOtherVersion),
  },
  {
    id: 'EM096',
    name: 'unknown-field',
    severity: 'error',
    impact: 'no-effect',
    when: 'A field of a spec is in no version of the API.',
    means: 'The API server removes it without a word, and what it was meant to do is not done.',
    mend: 'Correct the name of the field, or remove it.',
    find: inEach('every', unknownField, 'any', isIrregular),
  },
  {
    id: 'EM097',
    name: 'storage-artefact',
    severity: 'warning',
    impact: 'no-effect',
    when: 'A policy in Git has marks that only the conversion between versions leaves in a stored object.',
    means: 'It was exported from a cluster. In another version the marks mean something else, and they read as drift.',
    mend: 'Remove them: write the policy as a person would.',
    find: inEach('every', storageArtefact, 'any', mayHoldArtefacts),
  },
  {
    id: 'EM098',
    name: 'ingress-policies',
    severity: 'info',
    impact: 'no-effect',
    when: 'Emissary handles an Ingress by its class.',
    means: 'It makes Hosts and Mappings of it, which can collide with those of anybody.',
    mend: 'Nothing is wrong with it; a Mapping says more.',
    find: ingressPolicies,
  },
  {
    id: 'EM099',
    name: 'schema-broken',
    severity: 'error',
    impact: 'drop',
    when: 'A field is missing, or of a type or value that the schema of its kind refuses.',
    means: 'The API server refuses the object; in an annotation Emissary drops it.',
    mend: 'Write the field as the schema has it.',
    find: inEach('every', schemaBroken, 'any', isIrregular),
  },
];

/** Emissary reads the annotation there. */
function isRead({ object }: EdgeObject): boolean {
  return (object.kind === 'Service' && object.apiVersion === 'v1') || isIngress(object);
}

function* annotationYaml({ input }: Judged): Iterable<Hit> {
  for (const one of annotatedOf(input)) {
    const problem = isRead(one) ? readAnnotation(one.object).problem : undefined;
    if (problem === undefined) continue;
    const object = parentOf(one);
    const message = `the annotation ${CONFIG_ANNOTATION} of ${describe(object)} cannot be read: ${problem}`;
    yield { object, message };
  }
}

function* annotationVersion({ input }: Judged): Iterable<Hit> {
  for (const [one, document] of documentsOf(annotatedOf(input))) {
    const { apiVersion, kind, metadata } = document;
    const object = documentParty(one, document);
    if (!textAt(metadata, 'name')) {
      const name =
        metadata['name'] === undefined
          ? 'no name'
          : 'a name that is not a text; quote it, as YAML takes words like n, yes and 1 for something else';
      yield { object, detail: kind, message: `a ${kind} in the annotation of ${describe(parentOf(one))} has ${name}` };
    } else if (!apiVersion.startsWith('getambassador.io/') || !schemaOf(kind, versionOf(apiVersion))) {
      const version =
        apiVersion === '' ? 'no apiVersion' : `the apiVersion ${apiVersion}, in which there is no ${kind}`;
      yield { object, detail: apiVersion, message: `${describe(object)} has ${version}` };
    }
  }
}

function* annotationNamespace({ input }: Judged): Iterable<Hit> {
  for (const [one, document] of documentsOf(annotatedOf(input))) {
    const { namespace = '' } = one.object.metadata;
    if (document.metadata.namespace === namespace) continue;
    const object = documentParty(one, document);
    yield { object, message: `${describe(object)} takes effect in namespace ${object.namespace}, not in ${namespace}` };
  }
}

function* annotationPlace({ input }: Judged): Iterable<Hit> {
  for (const one of annotatedOf(input)) {
    if (isRead(one) || textAt(one.object.metadata.annotations, CONFIG_ANNOTATION) === undefined) continue;
    const object = parentOf(one);
    yield { object, message: `the annotation ${CONFIG_ANNOTATION} of ${describe(object)} is never read` };
  }
}

const madeOfIngresses = policiesThat('every', isMade);

function* ingressPolicies({ edge }: Judged): Iterable<Hit> {
  const made = Map.groupBy(madeOfIngresses(edge), ({ parent }) => parent);
  for (const policies of made.values()) {
    const [{ parent, origin }] = policies as [Policy];
    if (!parent) continue;
    const names = policies.slice(0, SHOWN).map(({ kind, name }) => `${kind} ${name}`);
    const more = policies.length > SHOWN ? ` and ${policies.length - SHOWN} more` : '';
    const object = parentOf({ object: parent, origin });
    yield { object, message: `Emissary makes ${names.join(', ')}${more} of ${describe(object)}` };
  }
}

/** So many names in a message. */
const SHOWN = 5;

function* documentsOf(objects: readonly EdgeObject[]): Iterable<[EdgeObject, AnnotationDocument]> {
  for (const one of objects) {
    if (!isRead(one)) continue;
    for (const document of readAnnotation(one.object).documents) yield [one, document];
  }
}

function parentOf({ object, origin }: EdgeObject): Party {
  const { name, namespace = '' } = object.metadata;
  return { kind: object.kind, namespace, name, origin };
}

function documentParty({ object, origin }: EdgeObject, { kind, metadata }: AnnotationDocument): Party {
  const { name: parentName, namespace = '' } = object.metadata;
  return {
    kind,
    namespace: metadata.namespace,
    name: textAt(metadata, 'name') ?? '',
    origin,
    inside: `${object.kind} ${namespace}/${parentName}`,
  };
}
